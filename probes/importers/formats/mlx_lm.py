"""MLX: fine-tuning with mlx-lm."""

from __future__ import annotations

import re
from typing import Any

from ..rows import Rows
from ..text import LineReader, TextFormat

_HEAD = re.compile(r"\bIter (\d{1,15}): (Train|Val) loss ([^,\s]{1,40})", re.IGNORECASE)
_RATE = re.compile(r"Learning Rate ([^,\s]{1,40})", re.IGNORECASE)


class MlxLm(TextFormat):
    """mlx-lm and mlx-examples fine-tuning text.

    Recognised by ``Iter N: Train loss X`` and ``Iter N: Val loss X``.
    """

    name = "mlx-lm"
    weight = 0.95
    marks = ("Iter ",)
    columns = ("loss", "val loss", "learning rate")
    example = (
        "Iter 1: Val loss 2.086, Val took 17.177s\n"
        "Iter 25: Train loss 1.593, Learning Rate 7.000e-05, It/sec 0.999, Tokens/sec 387.697\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader of both kinds of lines."""

        def line(text: str, place: int) -> bool:
            found = _HEAD.search(text)
            if not found:
                return False
            row: dict[str, Any] = {
                "iter": found[1],
                "loss" if found[2].lower() == "train" else "val loss": found[3],
            }
            rate = _RATE.search(text)
            if rate:
                row["learning rate"] = rate[1]
            return rows.feed(row, place)

        return line


IMPORTERS = (MlxLm(),)
