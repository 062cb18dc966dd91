"""OpenMMLab: the text log of mmcv and mmengine."""

from __future__ import annotations

import re
from typing import Any

from ..rows import Rows
from ..text import LineReader, TextFormat

_HEAD = re.compile(
    r"\b(Epoch|Iter)\s*(?:\((train|val|test)\))?\s*\[\s*(\d{1,12})\s*\](?:\s*\[\s*(\d{1,12})\s*/\s*(\d{1,12})\s*\])"
    r"?"
)
_SINGLE = re.compile(r"\b(Epoch|Iter)\s*(?:\((train|val|test)\))?\s*\[\s*(\d{1,12})\s*/\s*(\d{1,12})\s*\]")
_PAIR = re.compile(r"([A-Za-z_][\w./@-]{0,60}):\s+([-+]?[\d.]+(?:[eE][-+]?\d+)?|nan|-?inf)(?=[,\s]|$)")


class MmengineText(TextFormat):
    """OpenMMLab text log, mmcv (``Epoch [1][50/625]``) and mmengine (``Epoch(train)  [1][50/625]``).

    Recognised by those brackets before ``loss: X``. The loss is ``loss``; the step is counted over the
    epochs.
    """

    name = "mmengine-text"
    weight = 0.95
    marks = ("Epoch", "Iter")
    columns = ("loss", "lr", "val/loss", "grad_norm")
    example = (
        "2022-01-01 10:00:00,000 - mmdet - INFO - Epoch [1][50/625]\tlr: 1.978e-03, eta: 1:22:10, time: 0.6,"
        " data_time: 0.05, memory: 3900, loss_cls: 0.8, loss: 1.2\n"
        "01/01 10:01:00 - mmengine - INFO - Epoch(train)  [1][100/625]  lr: 2.0e-03  eta: 1:20:00  time: 0.5"
        "  loss: 1.1000  loss_cls: 0.7\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader of one line an interval."""
        state = {"step": 0}

        def line(text: str, place: int) -> bool:
            found = _HEAD.search(text) if "[" in text else None
            if not found:
                return False
            if not found[4]:
                found = _SINGLE.search(text) or found
            pairs = _PAIR.findall(text, found.end())
            mode = found[2] or ("val" if "Epoch(val)" in text else "train")
            if not pairs:
                return False
            return rows.feed(_row(found, pairs, mode, state), place)

        return line


def _row(
    found: re.Match[str], pairs: list[tuple[str, str]], mode: str, state: dict[str, int]
) -> dict[str, Any]:
    values = {key: value for key, value in pairs if key not in ("eta", "time", "data_time", "memory")}
    first = int(found[3])
    if mode != "train":
        return {
            "step": state["step"],
            **{f"val/{key}": value for key, value in values.items() if key != "lr"},
        }
    row: dict[str, Any] = {}
    if found[1] == "Iter":
        state["step"] = first
    elif found.re is _HEAD and found[4]:
        state["step"] = (first - 1) * int(found[5]) + int(found[4])
        row["epoch"] = first - 1 + int(found[4]) / max(1, int(found[5]))
    else:
        state["step"] = first
    return {"step": state["step"], **row, **values}


IMPORTERS = (MmengineText(),)
