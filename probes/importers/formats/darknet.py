"""Darknet: YOLO's original training console."""

from __future__ import annotations

import re

from ..figures import NUMBER
from ..rows import Rows
from ..text import LineReader, TextFormat

_VALUE = rf"({NUMBER}|-?nan|-?inf)"
_LINE = re.compile(rf"^\s*(\d{{1,12}}): {_VALUE}, {_VALUE} avg(?: loss)?, {_VALUE} rate", re.IGNORECASE)


class Darknet(TextFormat):
    """Darknet console, ``1000: 2.3, 2.5 avg loss, 0.001 rate``.

    Recognised by that line. The loss is the batch's own, the running average is kept as an extra.
    """

    name = "darknet"
    weight = 0.95
    marks = (" avg",)
    columns = ("loss", "lr", "running mean")
    example = " 1: 1234.567, 1234.567 avg loss, 0.000000 rate, 5.12 seconds, 64 images, 10.1 hours left\n"

    def start(self, rows: Rows) -> LineReader:
        """Return a reader of one line an iteration."""

        def line(text: str, place: int) -> bool:
            found = _LINE.match(text)
            if not found:
                return False
            row = {"step": found[1], "loss": found[2], "running mean": found[3], "lr": found[4]}
            return rows.feed(row, place)

        return line


IMPORTERS = (Darknet(),)
