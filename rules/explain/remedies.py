"""The fixes of a cause with this run's own numbers."""

from __future__ import annotations

from collections.abc import Mapping

from ..diagnosis import FactValue, Fix
from ..documents import FixDocument
from ..documents.placeholders import check_python, fill
from ..rulebase import RuleBase
from .wording import Lang


def remedies(cause: str, values: Mapping[str, FactValue], base: RuleBase, lang: Lang) -> list[Fix]:
    """Return the fixes of a cause, those for now before those for good.

    Args:
        cause: its id.
        values: facts for the placeholders.
        base: where causes and fixes are.
        lang: ``en`` or ``zh``.
    """
    document = base.causes.get(cause)
    names = document.fixes if document else []
    fixes = [_fix(base.fixes[name], values, lang) for name in names if name in base.fixes]
    return sorted(fixes, key=lambda fix: fix.when == "for-good")


def _fix(document: FixDocument, values: Mapping[str, FactValue], lang: Lang) -> Fix:
    text = fill(document.text.pick(lang), values)
    if text is None and document.fallback is not None:
        text = fill(document.fallback.pick(lang), values)
    return Fix(document.id, document.when, text or document.text.pick(lang), _code(document, values))


def _code(document: FixDocument, values: Mapping[str, FactValue]) -> str | None:
    if document.code is None:
        return None
    language = document.language
    code = fill(document.code, values, quote=language if language != "text" else "")
    # A value that breaks the code would do so in the user's job.
    if code is None or (language == "python" and check_python(document.code, values)):
        return None
    return code.rstrip("\n")
