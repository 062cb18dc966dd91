"""fairseq: ``--log-format simple`` and the older ``|``-separated lines."""

from __future__ import annotations

import re
from typing import Any

from ..rows import Rows
from ..text import LineReader, TextFormat

_INNER = re.compile(r"epoch (\d{1,9}):?\s+(\d{1,12}) / (\d{1,12})\s+(.*)")
_PAIR = re.compile(r"([A-Za-z_][\w/]{0,40})=([^,\s]{1,40})")
_SUMMARY = re.compile(r"(?:^|\|)\s*(train|valid|valid on [^|]{1,80})?\s*\|?\s*epoch (\d{1,9})\s*\|\s*(.*)")
_FIELD = re.compile(r"(?:valid on '[^']{0,80}' subset \| )?([A-Za-z_]\w{0,40}) ([^|\s]{1,40})\s*(?:\||$)")


class FairseqSimple(TextFormat):
    """fairseq console with ``--log-format simple``, old and new.

    Recognised by ``num_updates`` in ``epoch 001: 100 / 5000 loss=...`` or ``| epoch 001 | loss ...``
    lines. The loss is ``loss`` of the inner lines, the validation loss that of ``valid`` lines.
    """

    name = "fairseq-simple"
    weight = 0.94
    marks = ("num_updates", "wps=", "wps ")
    columns = ("loss", "nll_loss", "valid loss", "num_updates", "lr", "gnorm")
    example = (
        "2021-03-01 10:00:00 | INFO | train_inner | epoch 001:    100 / 500 loss=9.8, nll_loss=9.3,"
        " ppl=630.1,"
        " wps=100, num_updates=100, lr=1.2e-05, gnorm=2.1, loss_scale=128\n"
        "2021-03-01 10:09:00 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 8.7 | nll_loss 8.1 |"
        " ppl 274 | num_updates 500\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader of inner and summary lines."""

        def line(text: str, place: int) -> bool:
            if "epoch " not in text:
                return False
            inner = _INNER.search(text)
            if inner and "=" in inner[4]:
                return rows.feed(_inner(inner), place)
            summary = _SUMMARY.search(text)
            if not summary or "loss" not in text:
                return False
            return rows.feed(_summary(text, summary), place)

        return line


def _inner(found: re.Match[str]) -> dict[str, Any]:
    row: dict[str, Any] = dict(_PAIR.findall(found[4]))
    row["epoch"] = int(found[1]) - 1 + int(found[2]) / max(1, int(found[3]))
    if "num_updates" not in row:
        row["num_updates"] = (int(found[1]) - 1) * int(found[3]) + int(found[2])
    return row


def _summary(text: str, found: re.Match[str]) -> dict[str, Any]:
    fields = {key.removeprefix("valid_"): value for key, value in _FIELD.findall(found[3])}
    counters = {"num_updates": fields.pop("num_updates", None), "epoch": found[2]}
    valid = "valid" in text
    prefix = "valid " if valid else "epoch_mean/"
    return {**counters, **{f"{prefix}{key}": value for key, value in fields.items()}}


IMPORTERS = (FairseqSimple(),)
