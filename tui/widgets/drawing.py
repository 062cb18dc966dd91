"""One frame of a plot: curves, axes and marks as arrays of characters and styles, without an application."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from ...probes.evidence.reader import FloatArray
from ..columns import Series
from . import braille, scale

GUTTER = 7
"""Columns left of the curves for the labels of the vertical axis."""

PARTS = (
    "base",
    "title",
    "axis",
    "grid",
    "train",
    "val",
    "gradient",
    "rate",
    "other",
    "alarm",
    "after",
    "window",
    "cursor",
)
"""Parts of a drawing with a style of their own; ``after``, ``window`` and ``cursor`` are backgrounds."""

_EMPTY = (ord(" "), ord("┈"), ord("╌"))


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        label: its name in the legend.
        kind: ``train``, ``val``, ``gradient``, ``rate`` or ``other``, which gives the colour.
        x: float64 [n], ascending steps.
        y: float64 [n]; non-finite values are marked at the upper edge.
        held: a value stands until the next one, in place of a slope that nobody measured.
    """

    label: str
    kind: str
    x: FloatArray
    y: FloatArray
    held: bool = False


def lines_of(series: Mapping[str, Series], kind: str) -> list[Line]:
    """Return one line for each device of a quantity; the first has the quantity's own kind."""
    kinds = [kind, *(other for other in ("train", "val", "gradient", "rate") if other != kind)]
    several = len(series) > 1
    return [
        Line(name.rpartition("/")[2] if several else "", kinds[index % len(kinds)], one.step, one.value)
        for index, (name, one) in enumerate(series.items())
    ]


@dataclass(frozen=True)
class Marks:
    """What is shown, and what is marked.

    Attributes:
        view: first and last step.
        cursor: step of the cursor.
        alarm: step of the alarm; everything behind it is tinted.
        baseline: value of a dashed level to compare the curves with.
        window: first and last step of a tinted stretch.
        logarithmic: vertical axis in decades.
        axis: label the steps below.
    """

    view: tuple[float, float]
    cursor: float | None = None
    alarm: float | None = None
    logarithmic: bool = False
    axis: bool = True
    baseline: float | None = None
    window: tuple[float, float] | None = None


class Frame:
    """A finished drawing: code points and style numbers, both [rows, columns]."""

    def __init__(self, chars: Any, styles: Any, palette: list[Style]) -> None:
        self.chars, self.styles, self.palette = chars, styles, palette

    def strip(self, row: int) -> Strip:
        """Return one row for Textual."""
        chars, styles = self.chars[row], self.styles[row]
        edges = [0, *(np.flatnonzero(styles[1:] != styles[:-1]) + 1), len(chars)]
        segments = [
            Segment(chars[start:end].tobytes().decode("utf-32-le"), self.palette[styles[start]])
            for start, end in pairwise(edges)
        ]
        return Strip(segments, len(chars))

    def text(self) -> str:
        """Return the characters alone, one line a row."""
        return "\n".join(row.tobytes().decode("utf-32-le") for row in self.chars)


class Drawing:
    """One frame in the making.

    Args:
        lines: the curves, the last one on top.
        marks: view, cursor and alarm.
        size: (columns, rows).
        inks: a style for each of `PARTS`.
    """

    def __init__(
        self, lines: Sequence[Line], marks: Marks, size: tuple[int, int], inks: Mapping[str, Style]
    ) -> None:
        self.lines, self.marks, self.inks = lines, marks, inks
        self.width, self.height = size
        self.rows = max(self.height - (1 if marks.axis else 0), 1)
        self.columns = max(self.width - GUTTER, 1)
        self.chars = np.full((self.height, self.width), ord(" "), dtype="<u4")
        self.styles = np.zeros((self.height, self.width), dtype=np.uint8)
        self.palette = [inks["base"]]
        self.scale = (0.0, 1.0)

    def frame(self) -> Frame:
        """Return the finished drawing; blank where there is no room for a curve."""
        if self.width > GUTTER + 1 and self.height > 1:
            spans = [self._spans(line) for line in self.lines]
            level = self._level()
            known = [np.r_[s.low, s.high] for s in spans] + [np.array([] if level is None else [level])]
            self.scale = scale.span(np.concatenate(known))
            self._vertical_axis()
            if level is not None:
                self._write(self._row(level), GUTTER, "╌" * self.columns, self._ink(self.inks["axis"]))
            if self.marks.axis:
                self._horizontal_axis()
            self._curves(spans)
            self._broken(spans)
            self._window()
            self._alarm()
            self._cursor()
        return Frame(self.chars, self.styles, self.palette)

    def _ink(self, style: Style) -> int:
        if style not in self.palette:
            self.palette.append(style)
        return self.palette.index(style)

    def _spans(self, line: Line) -> braille.Spans:
        count = 2 * self.columns
        if line.held:
            x, y = braille.held(line.x, line.y, self.marks.view, count)
        else:
            x, y = braille.reaching(line.x, line.y, self.marks.view)
        spans = braille.decimate(x, y, self.marks.view, count)
        if self.marks.logarithmic:
            # Zero and below have no place on a logarithmic axis; they are gaps, not marks.
            found = braille.decimate(x, np.where(y > 0, y, np.nan), self.marks.view, count)
            spans = braille.Spans(np.log10(found.low), np.log10(found.high), spans.broken)
        return braille.joined(spans)

    def _level(self) -> float | None:
        """Return where the baseline lies on the vertical axis, None where it has no place there."""
        value = self.marks.baseline
        if value is None or not np.isfinite(value):
            return None
        if self.marks.logarithmic:
            return float(np.log10(value)) if value > 0 else None
        return value

    def _row(self, value: float) -> int:
        bottom, top = self.scale
        return round((top - value) / (top - bottom) * (4 * self.rows - 1)) // 4

    def _column(self, step: float) -> int | None:
        low, high = self.marks.view
        if not low <= step <= high:
            return None
        return GUTTER + min(int((step - low) / (high - low) * self.columns), self.columns - 1)

    def _write(self, row: int, column: int, text: str, ink: int) -> None:
        end = min(column + len(text), self.width)
        self.chars[row, column:end] = [ord(char) for char in text[: end - column]]
        self.styles[row, column:end] = ink

    def _vertical_axis(self) -> None:
        find = scale.log_ticks if self.marks.logarithmic else scale.ticks
        grid, ink = self._ink(self.inks["grid"]), self._ink(self.inks["axis"])
        for value in find(*self.scale, max(self.rows // 3, 1)):
            row = self._row(value)
            if 0 <= row < self.rows:
                text = scale.label(10.0**value if self.marks.logarithmic else value)[: GUTTER - 1]
                self._write(row, 0, text.rjust(GUTTER - 1), ink)
                self._write(row, GUTTER, "┈" * self.columns, grid)

    def _horizontal_axis(self) -> None:
        ink, row, free = self._ink(self.inks["axis"]), self.height - 1, GUTTER
        for value in scale.ticks(*self.marks.view, max(self.columns // 14, 1)):
            text = scale.label(value)
            column = self._column(value)
            if column is None:
                continue
            start = min(max(column - len(text) // 2, GUTTER), self.width - len(text))
            if start >= free:
                self._write(row, start, text, ink)
                free = start + len(text) + 2

    def _curves(self, spans: list[braille.Spans]) -> None:
        area = np.zeros((self.rows, self.columns), dtype=np.uint8)
        for line, covered in zip(self.lines, spans, strict=True):
            found = braille.cells(braille.dots(covered, self.scale, self.rows))
            # A cell has one colour; where two curves share cells they take turns, so that both are seen.
            turn = (area == 0) | (np.arange(self.columns) // 2 % 2 == 0)
            area |= found
            self.styles[: self.rows, GUTTER:][(found > 0) & turn] = self._ink(self.inks[line.kind])
        target = self.chars[: self.rows, GUTTER:]
        target[area > 0] = braille.BLANK + area[area > 0].astype("<u4")

    def _broken(self, spans: list[braille.Spans]) -> None:
        ink = self._ink(self.inks["alarm"])
        for covered in spans:
            columns = np.flatnonzero(covered.broken.reshape(-1, 2).any(axis=1)) + GUTTER
            self.chars[0, columns] = ord("✕")
            self.styles[0, columns] = ink

    def _alarm(self) -> None:
        alarm = self.marks.alarm
        if alarm is None or alarm > self.marks.view[1]:
            return
        column = self._column(alarm)
        if column is not None:
            empty = np.isin(self.chars[: self.rows, column], _EMPTY)
            self.chars[: self.rows, column][empty] = ord("╎")
            self.styles[: self.rows, column][empty] = self._ink(self.inks["alarm"])
        self._tint(GUTTER if column is None else column, self.width, "after")

    def _window(self) -> None:
        if self.marks.window is None:
            return
        low, high = self.marks.view
        first, last = (self._column(min(max(step, low), high)) for step in self.marks.window)
        if first is not None and last is not None and self.marks.window[1] >= low:
            self._tint(first, last + 1, "window")

    def _cursor(self) -> None:
        cursor = self.marks.cursor
        if cursor is not None and (column := self._column(cursor)) is not None:
            self._tint(column, column + 1, "cursor")

    def _tint(self, first: int, end: int, part: str) -> None:
        """Lay a background under some columns, whatever is drawn there."""
        block = self.styles[: self.rows, first:end]
        background = Style(bgcolor=self.inks[part].bgcolor)
        before = block.copy()
        for index in np.unique(before):
            block[before == index] = self._ink(self.palette[index] + background)
