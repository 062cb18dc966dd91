"""Finds where a whole curve left its level upwards, for how long, and whether it came back."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .baseline import MEMORY, Baseline
from .curve import Scale
from .robust import FloatArray

JUMP = math.log(1.6)
SPREADS = 4.0
RETURNED = math.log(1.25)
"""Height below which the loss counts as back."""
_FEW = 10
_ENOUGH = 16
_LOW = 0.4
_LOW_OF_NORMAL = 0.524
"""The low quantile of the size of a unit normal number."""
_GUESS = 3.0
_ROOM = 5
"""Points that the level after an onset is taken from."""
_BLOCK = 32
_MOST = 16384
"""Points that are gone through one by one; longer curves only where something stands out."""


@dataclass(frozen=True)
class Excursion:
    """One departure from the level.

    Attributes:
        start: index of the first bad point.
        end: index after the last bad point.
        base: level before.
        after: median of the first points of it.
        peak: largest value in it.
        peak_at: index of the peak.
        height: how far ``after`` stands above ``base``; see `curve.Scale`.
        peak_height: the same for the peak.
        noise: spread of the points round the level before.
        open: whether the curve ends in it.
        left: height of the level after the end above the base; of the last points when open.
    """

    start: int
    end: int
    base: float
    after: float
    peak: float
    peak_at: int
    height: float
    peak_height: float
    noise: float
    open: bool
    left: float

    @property
    def width(self) -> int:
        """Number of bad points."""
        return self.end - self.start


def find(values: FloatArray, scale: Scale, jump: float = JUMP, spreads: float = SPREADS) -> list[Excursion]:
    """Return all excursions of a curve, in order; of a long one those of at least two points.

    Args:
        values: float64 [n], finite.
        scale: of the curve.
        jump: least height of one.
        spreads: least height of one in units of the noise.
    """
    if len(values) < 2:
        return []
    scan = Scan(values, scale, jump, spreads)
    if len(values) <= _MOST:
        return scan.run([(0, len(values))])
    regions = _regions(values, scale, jump)
    if sum(stop - start for start, stop in regions) <= _MOST:
        return scan.run(regions)
    return _find_thinned(values, scale, jump, spreads)


def _regions(values: FloatArray, scale: Scale, jump: float) -> list[tuple[int, int]]:
    """Return the parts of a long curve where medians of three rise above the level of the block before."""
    count = len(values) // _BLOCK * _BLOCK
    levels = np.median(values[:count].reshape(-1, _BLOCK), axis=1)
    a, b, c = values[:-2], values[1:-1], values[2:]
    smooth = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    block = np.minimum(np.arange(len(smooth)) // _BLOCK - 1, len(levels) - 1)
    rises = scale.height(smooth, levels[np.maximum(block, 0)]) > 0.8 * jump
    regions: list[tuple[int, int]] = [(0, _BLOCK)]
    for number in np.unique(np.flatnonzero(rises) // _BLOCK).tolist():
        start, stop = max(0, number * _BLOCK - MEMORY), (number + 2) * _BLOCK
        if start <= regions[-1][1]:
            regions[-1] = (regions[-1][0], stop)
        else:
            regions.append((start, stop))
    return [(start, min(stop, len(values))) for start, stop in regions]


def _find_thinned(values: FloatArray, scale: Scale, jump: float, spreads: float) -> list[Excursion]:
    """Search the medians of blocks: where a curve is restless everywhere, only longer departures count."""
    factor = -(-len(values) // _MOST)
    count = len(values) // factor * factor
    thin = np.median(values[:count].reshape(-1, factor), axis=1)
    found = Scan(thin, scale, jump, spreads).run([(0, len(thin))])
    return [
        replace(
            e,
            start=e.start * factor,
            end=len(values) if e.open else e.end * factor,
            peak_at=e.peak_at * factor,
        )
        for e in found
    ]


def _typical_step(values: FloatArray, scale: Scale) -> float:
    """Return the noise that a whole curve suggests, for the points before it has a past of its own.

    From first or second differences, whichever are smaller: those of a steep descent have its slope in
    them. A low quantile, since a curve that explodes has little else than large differences.
    """
    steps = scale.height(values[1:], values[:-1])
    first = float(np.quantile(np.abs(steps), _LOW, method="lower"))
    if len(values) < _ENOUGH:
        return first
    second = float(np.quantile(np.abs(np.diff(steps)), _LOW, method="lower"))
    return min(first / math.sqrt(2), second / math.sqrt(6)) / _LOW_OF_NORMAL


class Scan:
    """Goes through a curve once; looks ahead at each candidate."""

    def __init__(self, values: FloatArray, scale: Scale, jump: float, spreads: float) -> None:
        self._values = values
        self._scale = scale
        # A difference may well be as large as the noise of a curve round zero: there it takes all of it.
        self._jump = jump if scale.is_ratio else max(jump, math.log(2))
        self._spreads = spreads
        self._baseline = Baseline(scale)
        self._typical = _typical_step(values, scale)

    def run(self, regions: list[tuple[int, int]]) -> list[Excursion]:
        """Return the excursions that start in the given parts of the curve."""
        found: list[Excursion] = []
        done = 0
        for start, stop in regions:
            position = max(start, done)
            while position < stop:
                position = self._step(position, found)
            done = position
        return found

    def _step(self, position: int, found: list[Excursion]) -> int:
        """Judge one point; return the next one to judge."""
        value = float(self._values[position])
        if self._baseline.count < 1 or not self._bad(value):
            self._baseline.accept(value)
            return position + 1
        excursion = self._measure(position)
        found.append(excursion)
        if excursion.width <= 2 and not excursion.open:
            for passed in self._values[position : excursion.end].tolist():
                self._baseline.accept(passed)
        return excursion.end

    @property
    def _level(self) -> float:
        """Level before the next point; the first points of a run fall too fast for long medians."""
        return self._baseline.recent if self._baseline.count < _FEW else self._baseline.level

    @property
    def _noise(self) -> float:
        count = self._baseline.count
        unsure = 1 + _GUESS / count if len(self._values) >= _ENOUGH else 1.0
        return self._typical * unsure if count < _FEW else self._baseline.spread

    def _bad(self, value: float) -> bool:
        level = self._level
        if self._baseline.count < _FEW:
            return self._baseline.height(value, level) > max(self._jump, self._spreads * self._noise)
        return self._baseline.stands_out(value, level, self._jump, self._spreads)

    def _measure(self, start: int) -> Excursion:
        base, noise = self._level, self._noise
        end, is_open = self._end(start, base, noise)
        inside = self._values[start:end]
        after = float(np.median(inside[:_ROOM]))
        peak_at = start + int(np.argmax(inside))
        peak = float(self._values[peak_at])
        rest = self._values[max(start, len(self._values) - _ROOM) :] if is_open else self._values[end:]
        left = float(np.median(rest[: max(_ROOM, end - start)]))
        between = self._scale.between
        heights = between(after, base), between(peak, base), between(left, base)
        return Excursion(
            start, end, base, after, peak, peak_at, heights[0], heights[1], noise, is_open, heights[2]
        )

    def _end(self, start: int, base: float, noise: float) -> tuple[int, bool]:
        """Return where the loss is back for two points out of three, and whether it never is."""
        tolerance = max(RETURNED, min(2 * noise, max(JUMP, noise)))
        size = 64
        while True:
            window = self._values[start + 1 : start + 1 + size]
            good = self._scale.height(window, base) < tolerance
            back = (
                np.flatnonzero(good[:-2] & (good[1:-1] | good[2:]))
                if len(good) > 2
                else np.empty(0, np.int64)
            )
            if len(back):
                return start + 1 + int(back[0]), False
            if len(window) < size:
                break
            size *= 4
        # At the very end fewer points must do; a single one after two bad ones says too little.
        few = 1 if start >= _FEW and len(good) == 1 else 2
        if len(good) >= few and good[-few:].all():
            return len(self._values) - few, False
        return len(self._values), True
