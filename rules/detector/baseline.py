"""The running baseline of a curve that still grows: level, spread and how often a point stands out."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

from .curve import Scale
from .robust import sorted_excess, sorted_spread

SHORT, MIDDLE, LONG = 3, 9, 25
"""Points that the three medians of the level cover."""
MEMORY = 256
"""Points whose deviation makes up the spread."""


class SortedWindow:
    """The last values of a stream, kept in ascending order.

    Args:
        size: how many are kept.
    """

    __slots__ = ("_order", "_size", "ordered")

    def __init__(self, size: int) -> None:
        self._size = size
        self._order: deque[float] = deque()
        self.ordered: list[float] = []

    def __len__(self) -> int:
        return len(self.ordered)

    def push(self, value: float) -> None:
        """Take in one value and drop the oldest when full."""
        if len(self._order) == self._size:
            del self.ordered[bisect_left(self.ordered, self._order.popleft())]
        self._order.append(value)
        insort(self.ordered, value)

    @property
    def median(self) -> float:
        """The middle value; of an even count the lower of the two, which favours an alarm by little."""
        return self.ordered[(len(self.ordered) - 1) // 2]

    def values(self) -> list[float]:
        """Return the values in the order they came."""
        return list(self._order)


class Baseline:
    """Level and spread of the accepted points of a curve.

    The level is the median of the last 25 points, or of the last nine or three where that clearly
    differs: a falling curve of few points has left the longer medians behind, and a slow rise carries
    the level along, so that only a sudden one stands out. Nothing is ever taken from the raw minimum,
    which one lucky batch would hold down for good.

    Args:
        scale: how heights are measured, where the whole curve is known; otherwise ratios, and
            differences in units of the range covered so far from the first negative value on.
    """

    def __init__(self, scale: Scale | None = None) -> None:
        self._short, self._middle, self._long = (SortedWindow(size) for size in (SHORT, MIDDLE, LONG))
        self._deviations = SortedWindow(MEMORY)
        self._noise = SortedWindow(MEMORY)
        self._pairs: deque[tuple[float, float, float]] = deque(maxlen=MEMORY)
        self._lowest, self._highest = math.inf, -math.inf
        self._fixed = scale is not None
        self.scale = scale or Scale()
        self.count = 0

    @property
    def spread(self) -> float:
        """Noise of one point above the level, as a height."""
        return max(sorted_spread(self._noise.ordered), sorted_excess(self._deviations.ordered))

    @property
    def level(self) -> float:
        """Where the next point is expected."""
        noise = sorted_spread(self._noise.ordered)
        level = self._long.median
        for window, clear in ((self._middle, 1.0), (self._short, 1.5)):
            if abs(self.height(level, window.median)) <= clear * noise:
                break
            level = window.median
        return level

    @property
    def recent(self) -> float:
        """Median of the last three points."""
        return self._short.median

    def height(self, value: float, base: float) -> float:
        """Return how far a value stands above a base; see `curve.Scale`."""
        return self.scale.between(value, base)

    def accept(self, value: float) -> None:
        """Take in one point that belongs to the normal course."""
        if value < 0 and self.scale.is_ratio and not self._fixed:
            self._turn_to_differences()
        if self.count:
            self._pairs.append((value, self.level, self._short.median))
            self._deviate(*self._pairs[-1])
        self._remember(value)
        self.count += 1

    def rebase(self, values: list[float]) -> None:
        """Take the level of new values as normal and keep the spread."""
        for value in values[-LONG:]:
            self._remember(value)

    def _remember(self, value: float) -> None:
        for window in (self._short, self._middle, self._long):
            window.push(value)
        # One wild value must not stretch the range: the middle one of three does.
        middle = self._short.median
        if not self._lowest <= middle <= self._highest:
            self._lowest, self._highest = min(self._lowest, middle), max(self._highest, middle)
            if not (self._fixed or self.scale.is_ratio):
                self.scale = Scale(unit=self._range)

    @property
    def _range(self) -> float:
        return self._highest - self._lowest or math.inf

    def _turn_to_differences(self) -> None:
        """Measure by differences from now on, and the remembered points too."""
        self.scale = Scale(unit=self._range)
        self._deviations, self._noise = SortedWindow(MEMORY), SortedWindow(MEMORY)
        for pair in self._pairs:
            self._deviate(*pair)

    def _deviate(self, value: float, level: float, recent: float) -> None:
        """Note how far a point is from the level, and from its neighbours, which no trend disturbs."""
        self._deviations.push(self.height(value, level))
        self._noise.push(self.height(value, recent))
