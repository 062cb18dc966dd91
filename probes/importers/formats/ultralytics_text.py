"""Ultralytics YOLO: the table that its console prints, a line an epoch."""

from __future__ import annotations

import re
from typing import Any

from ..rows import Rows
from ..text import LineReader, TextFormat

_HEADER = re.compile(r"^\s*Epoch\s+(gpu_mem|GPU_mem)\s+(.*)$")
_ROW = re.compile(r"^\s*(\d{1,9})/(\d{1,9})\s+(\S{1,16})\s+(.*)$")
_COUNTED = frozenset(("labels", "img_size", "instances", "size", "total", "targets"))


class UltralyticsText(TextFormat):
    """Ultralytics, YOLOv5 and YOLOv7 console, ``Epoch gpu_mem box obj cls ...`` over a line an epoch.

    Recognised by that heading. The loss is the sum of the parts; of the states of an epoch's line the last
    is taken.
    """

    name = "ultralytics-text"
    weight = 0.95
    marks = ("gpu_mem", "GPU_mem")
    example = (
        "     Epoch   gpu_mem       box       obj       cls    labels  img_size\n"
        "     0/299     3.52G    0.1203    0.0632    0.0312        45       640: 100%|##########| 97/97\n"
        "     1/299     3.52G       nan       nan       nan        45       640: 100%|##########| 97/97\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader that knows the columns."""
        return _Reader(rows)


class _Reader:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._names: list[str] = []
        self._row: dict[str, Any] = {}
        self._place = 0

    def __call__(self, line: str, place: int) -> bool:
        header = _HEADER.match(line)
        if header:
            self._names = [name if "loss" in name else f"{name}_loss" for name in self._columns(header[2])]
            return True
        found = _ROW.match(line) if self._names else None
        if not found:
            return False
        values = found[4].replace(":", " ").split()[: len(self._names)]
        row = {"epoch": found[1], **dict(zip(self._names, values, strict=False))}
        if self._row and self._row["epoch"] != row["epoch"]:
            self._feed()
        self._row, self._place = row, place
        return bool(values)

    def _columns(self, text: str) -> list[str]:
        names = text.split()
        end = next((i for i, name in enumerate(names) if name.lower() in _COUNTED), len(names))
        return names[:end]

    def _feed(self) -> None:
        row, self._row = self._row, {}
        if row:
            self._rows.feed(row, self._place)

    def end(self) -> None:
        self._feed()


IMPORTERS = (UltralyticsText(),)
