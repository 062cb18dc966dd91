"""Tells jumps of the level from outliers: single points, and what is usual in a restless curve."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import zip_longest

import numpy as np

from .curve import Scale
from .evidence import CERTAIN, STAYS
from .excursions import JUMP, RETURNED, SPREADS, Excursion, find
from .robust import FloatArray, spread, trailing_median

_SHORT = 3
_BATCHES = 64
"""Points from which a curve is taken for single batches, where outliers come in pairs by chance."""
_HABIT = 3
_ALIKE = 0.6
_AFTER = 256


def returned(e: Excursion) -> bool:
    """Whether a closed excursion ended at its old level, as far as the noise lets one tell."""
    return not e.open and e.left <= max(RETURNED, 2 * e.noise)


def split(
    values: FloatArray, scale: Scale, jump: float = JUMP, spreads: float = SPREADS
) -> tuple[list[Excursion], list[Excursion]]:
    """Return the jumps and the outliers of a curve.

    Excursions that the curve did not return from are joined with the next one.

    Args:
        values: float64 [n], finite.
        scale: of the curve.
        jump: least height of an excursion.
        spreads: least height of one in units of the noise.
    """
    found = find(values, scale, jump, spreads)
    jumps: list[Excursion] = []
    outliers: list[Excursion] = []
    for e, following in zip_longest(found, _next_wide(found)):
        last = jumps[-1] if jumps else None
        if last and _belongs(last, e):
            jumps[-1] = _joined(last, e, scale)
        elif not e.open and (
            e.width == 1 or _by_chance(e, found, len(values)) or _drowned(e, following, values, scale)
        ):
            outliers.append(e)
        else:
            jumps.append(e)
    if any(not e.open for e in jumps) and _is_habit(values, scale, jumps, spreads):
        outliers = sorted(outliers + [e for e in jumps if not e.open], key=lambda e: e.start)
        jumps = [e for e in jumps if e.open]
    return jumps, outliers


def _next_wide(found: list[Excursion]) -> list[Excursion | None]:
    """Return for every excursion the next one that is more than a few points."""
    following: list[Excursion | None] = [None] * len(found)
    for i in range(len(found) - 2, -1, -1):
        following[i] = found[i + 1] if found[i + 1].width > _SHORT else following[i + 1]
    return following


def _belongs(last: Excursion, e: Excursion) -> bool:
    return not last.open and (not returned(last) or e.start - last.end <= max(2, last.width // 4))


def _joined(first: Excursion, second: Excursion, scale: Scale) -> Excursion:
    peak, peak_at = max((first.peak, first.peak_at), (second.peak, second.peak_at))
    return replace(
        first,
        end=second.end,
        peak=peak,
        peak_at=peak_at,
        peak_height=scale.between(peak, first.base),
        open=second.open,
        left=second.left + scale.between(second.base, first.base),
    )


def _by_chance(e: Excursion, found: list[Excursion], count: int) -> bool:
    """Whether single outliers are so frequent that some stand side by side."""
    if count < _BATCHES or e.width > _SHORT:
        return False
    others = sum(o.width for o in found if o is not e and o.width <= _SHORT)
    rate = (others + 0.05) / (count + 10)
    return others > 0 and e.width * math.log(STAYS / min(rate, 0.5)) < CERTAIN


def _drowned(e: Excursion, following: Excursion | None, values: FloatArray, scale: Scale) -> bool:
    """Whether the curve went on so restlessly that the excursion was part of it."""
    stop = following.start if following else len(values)
    rest = values[e.end : min(stop, e.end + _AFTER)]
    if len(rest) < 16:
        return False
    return e.peak_height < SPREADS * spread(scale.height(rest, trailing_median(rest, 9)))


def _is_habit(values: FloatArray, scale: Scale, jumps: list[Excursion], spreads: float) -> bool:
    """Whether a curve rises like this again and again, as one does that repeats every epoch."""
    largest = max(e.peak_height for e in jumps if not e.open)
    every = find(values, scale, _ALIKE * JUMP, _ALIKE * spreads)
    starts: list[int] = []
    end = -1
    for e in every:
        apart = not starts or e.start - end > (end - starts[-1]) // 2
        end = e.end
        if apart and e.width > 1 and e.peak_height >= _ALIKE * largest and not e.open:
            starts.append(e.start)
    if len(starts) <= _HABIT:
        return False
    # Faults come at any time; what comes at even intervals comes with the data.
    gaps = np.diff(starts) / np.median(np.diff(starts))
    return bool(np.mean(np.abs(gaps - np.rint(gaps)) < 0.1) >= 0.75)
