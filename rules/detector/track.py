"""One loss curve prepared for judgement: its excursions sorted into jumps and single outliers."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from .curve import Curve, Scale
from .excursions import JUMP, SPREADS, Excursion
from .finding import Change
from .robust import FloatArray, block_medians, spread, trailing_median
from .sorting import split

BLOCKS = 64
_SMOOTH = 0.1


class Track:
    """A curve, its scale and its excursions.

    Args:
        curve: as recorded.
        jump: least height of an excursion.
        spreads: least height of one in units of the noise.

    Attributes:
        least: the least height, as given; likewise ``spreads``.
    """

    def __init__(self, curve: Curve, jump: float = JUMP, spreads: float = SPREADS) -> None:
        self.raw = curve
        self.least = jump
        self.spreads = spreads
        self.curve = curve.finite
        self.values: FloatArray = self.curve.value
        self.scale = Scale.of(self.values)
        self.jumps, self.outliers = split(self.values, self.scale, jump, spreads)

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def interval(self) -> float:
        """Typical number of steps between two records."""
        gaps = np.diff(self.curve.step)
        gaps = gaps[gaps > 0]
        return float(np.median(gaps)) if len(gaps) else 1.0

    @cached_property
    def from_start(self) -> bool:
        """Whether the curve begins with the run and is no excerpt of a later part."""
        return len(self) > 0 and self.curve.step[0] <= max(1.0, 2 * self.interval)

    @cached_property
    def first(self) -> float:
        """Level that the run began with."""
        return float(self.values[0]) if len(self) else float("nan")

    @cached_property
    def noise(self) -> float:
        """Spread of single points round their neighbours, as a height, upper side."""
        if len(self) < 3:
            return 0.0
        tail = self.values[-(1 << 16) :]
        return spread(self.scale.height(tail, trailing_median(tail, 5)))

    @cached_property
    def smooth(self) -> FloatArray:
        """The curve without its noise and its closed excursions, at most 64 points."""
        return block_medians(self.values[self._calm], BLOCKS)

    @cached_property
    def positions(self) -> FloatArray:
        """Index of the middle of every point of `smooth`."""
        return block_medians(np.flatnonzero(self._calm).astype(np.float64), BLOCKS)

    @cached_property
    def _calm(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        calm = np.ones(len(self), dtype=bool)
        for e in (*self.jumps, *self.outliers):
            if not e.open:
                calm[e.start : e.end] = False
        return calm

    def change(self, e: Excursion) -> Change:
        """Return the levels before and after an excursion began.

        Of a smooth curve that was still falling, the last value is the level before.
        """
        last = self.values[max(0, e.start - 3) : e.start]
        falling = len(last) == 3 and bool((np.diff(last) < 0).all()) and e.noise < _SMOOTH
        before = min(e.base, float(last[-1])) if falling else e.base
        return Change(before, e.after, self.scale.ratio(e.after, before))

    def level_before(self, index: int) -> float | None:
        """Return the median of the nine points before a record; None before the first."""
        before = self.values[max(0, index - 9) : index]
        return float(np.median(before)) if len(before) else None

    def change_near(self, step: float) -> Change | None:
        """Return the levels round a step, for a curve with no excursion of its own there."""
        index = int(np.searchsorted(self.curve.step, step))
        before, after = self.values[max(0, index - 9) : index], self.values[index : index + 5]
        if not len(before) or not len(after):
            return None
        low, high = float(np.median(before)), float(np.median(after))
        return Change(low, high, self.scale.ratio(high, low))
