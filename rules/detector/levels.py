"""A lasting change of level that single points are too noisy to show.

Where batches differ by several times their mean, no point stands out of its neighbours; the medians of
blocks do, since the noise of a median falls with the root of their number. The curve is searched at
blocks of growing size, and what is found is dated to the record.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .curve import Scale
from .excursions import Excursion
from .robust import FloatArray, block_medians, spread, trailing_median
from .sorting import split
from .track import Track

_SIZES = (4, 8, 16, 32)
_FEWEST_BLOCKS = 10
_LONG = 3
"""Blocks that a change of level lasts at least to be none of the noise."""
_CLEAR = 0.8
"""Share of points that lie on the right side of the middle between both levels."""
_AT_ONCE = 0.6
"""Least share of the change that the nearest block on either side shows."""
_AROUND = 60
"""Points on either side of the onset that this is judged by."""


def lasting_level(track: Track) -> Excursion | None:
    """Return the change of level that the curve ends in, or None.

    Args:
        track: a curve in which no single point showed a jump.
    """
    return _search(track, lambda found: found[-1] if found[-1].open else None)


def passing_level(track: Track) -> Excursion | None:
    """Return the first change of level that the curve came back from slowly, or None."""
    return _search(track, lambda found: next((e for e in found if not e.open and e.width >= _LONG), None))


def _search(track: Track, choose: Callable[[list[Excursion]], Excursion | None]) -> Excursion | None:
    for size in _SIZES:
        count = len(track) // size
        if count < _FEWEST_BLOCKS:
            return None
        medians = block_medians(track.values[: count * size], count)
        jumps, _ = split(medians, track.scale, track.least, track.spreads)
        rough = choose(jumps) if jumps else None
        if rough is not None and rough.width >= 2 and rough.start >= 3:
            found = _dated(track, rough, size)
            if found is not None:
                return found
    return None


def _dated(track: Track, rough: Excursion, size: int) -> Excursion | None:
    """Return the excursion of the points themselves that a jump of block medians stands for."""
    values, scale = track.values, track.scale
    center = rough.start * size
    old = values[max(0, center - size - _AROUND) : max(1, center - size)]
    new = values[center + size : center + size + _AROUND]
    if len(old) < size or len(new) < size:
        return None
    base, level = float(np.median(old)), float(np.median(new))
    height = scale.between(level, base)
    start = _onset(values, scale, base, height, (max(1, center - size), min(len(values) - 1, center + size)))
    before, after = values[max(0, start - _AROUND) : start], values[start : start + _AROUND]
    if height < track.least or not _apart(before, after, scale, base, height):
        return None
    if not _sudden(before[-size:], after[:size], track, height):
        return None
    end = len(values) if rough.open else min(len(values), rough.end * size)
    peak_at = start + int(np.argmax(values[start:end]))
    peak = float(values[peak_at])
    noise = spread(scale.height(before, trailing_median(before, 5)))
    left = scale.between(float(np.median(values[-size:])), base)
    return Excursion(
        start, end, base, float(np.median(after[:size])), peak, peak_at,
        height, scale.between(peak, base), noise, open=rough.open, left=left,
    )  # fmt: skip


def _sudden(before: FloatArray, after: FloatArray, track: Track, height: float) -> bool:
    """Whether most of the change lies right at the onset; a slow rise spreads it over both sides."""
    near = track.scale.between(float(np.median(after)), float(np.median(before)))
    return near >= max(_AT_ONCE * height, 0.75 * track.least)


def _onset(values: FloatArray, scale: Scale, base: float, height: float, around: tuple[int, int]) -> int:
    """Return the record that splits low from high points with the fewest on the wrong side."""
    low, high = around
    above = scale.height(values[low : high + 1], base) > height / 2
    wrong = np.concatenate([[0], np.cumsum(above)]) + np.concatenate([np.cumsum(~above[::-1])[::-1], [0]])
    return low + int(np.argmin(wrong))


def _apart(before: FloatArray, after: FloatArray, scale: Scale, base: float, height: float) -> bool:
    """Whether the points of both sides keep to their sides."""
    low = scale.height(before, base) < height / 2
    high = scale.height(after, base) > height / 2
    return bool(low.mean() >= _CLEAR and high.mean() >= _CLEAR)
