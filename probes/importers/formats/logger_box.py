"""Boxes of names and values: the console of OpenAI's logger, Stable-Baselines3 and guided diffusion."""

from __future__ import annotations

import re
from typing import Any

from ..figures import number
from ..rows import Rows
from ..text import LineReader, TextFormat

_EDGE = re.compile(r"^\s*-{12,}\s*$")
_ROW = re.compile(r"^\s*\|\s{0,8}([^|]{1,80}?)\s*\|\s*([^|]{0,40}?)\s*\|\s*$")


class LoggerBox(TextFormat):
    """Boxes of ``| name | value |`` between dashed lines: OpenAI logger, Stable-Baselines3, guided diffusion.

    Recognised by such rows that name a loss. One box is one point; group headings (``train/``) stand before
    the names below them.
    """

    name = "logger-box"
    weight = 0.9
    marks = ("----------",)
    example = (
        "-------------------------\n"
        "| grad_norm  | 0.95     |\n"
        "| loss       | 0.98     |\n"
        "| step       | 0        |\n"
        "-------------------------\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader that gathers a box."""
        return _Reader(rows)


class _Reader:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._box: dict[str, Any] = {}
        self._group = ""
        self._place = 0

    def __call__(self, line: str, place: int) -> bool:
        if _EDGE.match(line):
            self._feed()
            return True
        found = _ROW.match(line)
        if not found:
            return False
        name, value = found[1], found[2]
        if not value and name.endswith("/"):
            self._group = name
            return True
        self._place = place
        if number(value) is not None:
            self._box[f"{self._group}{name}"] = value
        return bool(value)

    def _feed(self) -> None:
        box, self._box, self._group = self._box, {}, ""
        if box:
            self._rows.feed(box, self._place)

    def end(self) -> None:
        self._feed()


IMPORTERS = (LoggerBox(),)
