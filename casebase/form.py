"""The form that a case is written down with, as YAML."""

from __future__ import annotations

import msgspec

from ..rules.documents.markup import parse
from ..rules.documents.problems import DocumentError
from .checks import check_cause, check_fixes
from .entry import Entry
from .errors import CaseError

FORMS = {
    "en": """\
# What happened, and what helped. Lines left empty may stay so or be deleted.
title:              # in one line
summary: >-         # the story: what was seen, how the cause was found

cause:              # FAMILY.NAME, such as data.loading-error; empty while it is unknown
project:
framework:          # torch, lightning, transformers
model_type:         # transformer, cnn, tabular
step:
epoch:              # epochs done before the spike
train: [null, null] # training loss before, and at the spike (a number, nan or inf)
val: [null, null]   # validation loss likewise
fixes: []           # such as  - {fix: fix.clip-gradients, text: Clipped at 1.0., outcome: worked, after: 0.3}
tags: []
reference:          # address of a public account
""",
    "zh": """\
# 发生了什么,怎样解决的。空着的行可以留空或删去。
title_zh:           # 一句话
summary_zh: >-      # 经过:看到了什么,怎样找到原因

cause:              # 类别.名称,例如 data.loading-error;未知则留空
project:
framework:          # torch、lightning、transformers
model_type:         # transformer、cnn、tabular
step:
epoch:              # 骤升之前已完成的轮数
train: [null, null] # 训练损失:之前、骤升时(数字、nan 或 inf)
val: [null, null]   # 验证损失,同上
fixes: []           # 例如  - {fix: fix.clip-gradients, text: 按 1.0 裁剪。, outcome: worked, after: 0.3}
tags: []
reference:          # 公开出处的网址
""",
}
"""The blank form by language."""


def read_form(text: str, file: str) -> Entry:
    """Read a form that was filled in.

    Args:
        text: YAML, at most 64 KiB.
        file: its name, for messages.

    Raises:
        CaseError: it is not as the form asks.
    """
    try:
        raw = parse(text, file).data or {}
        if not isinstance(raw, dict):
            raise CaseError("is no mapping of names to values")
        entry = checked(
            msgspec.convert({name: value for name, value in raw.items() if value is not None}, Entry)
        )
    except DocumentError as error:
        raise CaseError(" ".join(str(error).split())) from error
    except (msgspec.ValidationError, CaseError) as error:
        raise CaseError(f"{file}: {error}; valid is what `spikelore cases form` prints, filled in") from error
    return entry


def checked(entry: Entry) -> Entry:
    """Return an entry that can be added.

    Raises:
        CaseError: it has no title, or its cause or a fix is none.
    """
    if not (entry.title or entry.title_zh):
        raise CaseError("title: is empty; valid is what happened, in one line")
    if entry.cause:
        check_cause(entry.cause)
    check_fixes(entry.fixes)
    return entry
