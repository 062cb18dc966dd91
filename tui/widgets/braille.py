"""Curves as braille dots, four rows and two columns in a character cell; pure arrays, no application.

Every dot column shows the lowest and the highest value that falls into it, so that one bad batch in a
million steps is still seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ...probes.evidence.reader import FloatArray

BoolArray: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]]"
ByteArray: TypeAlias = "np.ndarray[Any, np.dtype[np.uint8]]"

BLANK = 0x2800
"""Code point of the braille cell without dots."""

# Weight of the dot at [row, column] of a cell in the low byte of its code point.
_WEIGHTS = np.array([[1, 8], [2, 16], [4, 32], [64, 128]], dtype=np.uint8)


@dataclass(frozen=True)
class Spans:
    """What a curve covers in each dot column.

    Attributes:
        low: float64 [columns], lowest finite value; NaN where the column is empty.
        high: float64 [columns], likewise.
        broken: bool [columns], a non-finite value was measured.
    """

    low: FloatArray
    high: FloatArray
    broken: BoolArray


def decimate(x: FloatArray, y: FloatArray, view: tuple[float, float], columns: int) -> Spans:
    """Return the curve's spans in ``columns`` equal parts of ``view``; ``x`` ascends."""
    edges = np.linspace(view[0], view[1], columns + 1)
    bounds = np.searchsorted(x, edges)
    bounds[-1] = np.searchsorted(x, view[1], side="right")
    low, high = np.full(columns, np.nan), np.full(columns, np.nan)
    broken = np.zeros(columns, dtype=bool)
    filled = np.flatnonzero(bounds[1:] > bounds[:-1])
    if len(filled):
        part = y[bounds[0] : bounds[-1]]
        starts = bounds[filled] - bounds[0]
        finite = np.isfinite(part)
        numbers = np.where(finite, part, np.nan)
        low[filled] = np.fmin.reduceat(numbers, starts)
        high[filled] = np.fmax.reduceat(numbers, starts)
        broken[filled] = np.logical_or.reduceat(~finite, starts)
    return Spans(low, high, broken)


def reaching(x: FloatArray, y: FloatArray, view: tuple[float, float]) -> tuple[FloatArray, FloatArray]:
    """Return the part of a curve inside ``view``, carried on to the edges that it crosses.

    Few points may lie in a narrow view, and none of a curve that is measured once an epoch.
    """
    first = int(np.searchsorted(x, view[0]))
    last = int(np.searchsorted(x, view[1], side="right"))
    inside_x, inside_y = [x[first:last]], [y[first:last]]
    if 0 < first < len(x) and np.isfinite(y[first - 1 : first + 1]).all():
        inside_x.insert(0, np.array([view[0]]))
        inside_y.insert(0, np.interp([view[0]], x[first - 1 : first + 1], y[first - 1 : first + 1]))
    if 0 < last < len(x) and np.isfinite(y[last - 1 : last + 1]).all():
        inside_x.append(np.array([view[1]]))
        inside_y.append(np.interp([view[1]], x[last - 1 : last + 1], y[last - 1 : last + 1]))
    return np.concatenate(inside_x), np.concatenate(inside_y)


def held(
    x: FloatArray, y: FloatArray, view: tuple[float, float], columns: int
) -> tuple[FloatArray, FloatArray]:
    """Return the part of a curve inside ``view`` with each value repeated in every column until the next.

    What is measured once an epoch says nothing of the steps between: a slope from one value to the next
    would show a rise before it began.
    """
    places = np.linspace(view[0], view[1], columns + 1)[:-1]
    last = np.searchsorted(x, places, side="right") - 1
    inside = (last >= 0) & (last < len(x) - 1) if len(x) else np.zeros(columns, dtype=bool)
    first, end = np.searchsorted(x, view[0]), np.searchsorted(x, view[1], side="right")
    steps = np.concatenate([places[inside], x[first:end]])
    values = np.concatenate([y[last[inside]], y[first:end]])
    order = np.argsort(steps, kind="stable")
    return steps[order], values[order]


def joined(spans: Spans) -> Spans:
    """Return the spans with empty columns bridged and every jump closed, so that they read as one line."""
    known = np.flatnonzero(~np.isnan(spans.low))
    if len(known) < 2:
        return spans
    inside = np.arange(known[0], known[-1] + 1)
    low, high = spans.low.copy(), spans.high.copy()
    low[inside] = np.interp(inside, known, spans.low[known])
    high[inside] = np.interp(inside, known, spans.high[known])
    before, after = inside[:-1], inside[1:]
    reach_down = np.minimum(low[after], high[before])
    reach_up = np.maximum(high[after], low[before])
    low[after], high[after] = reach_down, reach_up
    return Spans(low, high, spans.broken)


def dots(spans: Spans, scale: tuple[float, float], rows: int) -> BoolArray:
    """Return bool [4 * rows, columns], true where the curve passes; ``scale`` is (bottom, top)."""
    bottom, top = scale
    height = 4 * rows
    with np.errstate(invalid="ignore"):
        upper = np.rint((top - spans.high) / (top - bottom) * (height - 1))
        lower = np.rint((top - spans.low) / (top - bottom) * (height - 1))
    row = np.arange(height)[:, None]
    # A comparison with NaN is false, so empty columns stay empty.
    return (row >= upper[None, :]) & (row <= lower[None, :])


def cells(mask: BoolArray) -> ByteArray:
    """Return uint8 [rows, columns / 2]: the dots of each cell as the low byte of its braille character."""
    rows, columns = mask.shape[0] // 4, mask.shape[1] // 2
    blocks = mask.reshape(rows, 4, columns, 2).astype(np.uint8)
    packed: ByteArray = np.einsum("rdcs,ds->rc", blocks, _WEIGHTS)
    return packed
