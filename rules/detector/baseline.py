"""The running baseline of a curve that still grows: level, spread and how often a point stands out."""

from __future__ import annotations

import math
from collections import deque

from .curve import Scale
from .robust import sorted_excess, sorted_spread
from .windows import SortedWindow

SHORT, MIDDLE, LONG = 3, 9, 25
"""Points that the three medians of the level cover."""
MEMORY = 256
FRESH = 32
"""Points whose deviation makes up the spread, and the fewer that can raise it."""
_UNSURE = 10.0
_BEND = 1.4826 / math.sqrt(6)
"""From the median size of second differences to a standard deviation."""
_REPEATS = 8
"""Equal neighbours from which a loss counts as rounded."""


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
        self._points: deque[tuple[float, float, float, float]] = deque(maxlen=MEMORY)
        self._fixed = scale is not None
        self.scale = scale or Scale()
        self.count = 0
        self._last = (math.nan, math.nan)
        self._lowest, self._highest = math.inf, -math.inf
        self._repeats, self._least_step = 0, math.inf
        self._clear()

    def _clear(self) -> None:
        self._deviations, self._noise = SortedWindow(MEMORY), SortedWindow(MEMORY)
        self._fresh, self._bends, self._plain = (SortedWindow(FRESH) for _ in range(3))

    @property
    def spread(self) -> float:
        """Noise of one point above the level, as a height.

        The spread of a few points is itself uncertain, so that a short past makes it larger.
        """
        unsure = 1 + _UNSURE / max(self.count, 1)
        return unsure * max(self._scatter, sorted_excess(self._deviations.ordered))

    @property
    def _scatter(self) -> float:
        """Noise round the neighbours; a curve that has just become restless counts as that.

        Of few points the second differences tell, which a steep descent does not disturb.
        """
        if self.count < FRESH:
            return self._bends.median * _BEND if len(self._bends) else 0.0
        return max(sorted_spread(self._noise.ordered), sorted_spread(self._fresh.ordered))

    @property
    def level(self) -> float:
        """Where the next point is expected."""
        noise = self._scatter
        level = self._long.median
        few = 0.5 if self.count < FRESH else 1.0
        for window, clear in ((self._middle, few), (self._short, 1.5 * few)):
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

    def stands_out(self, value: float, base: float, jump: float, spreads: float) -> bool:
        """Whether a point is above a base by a height and by so many spreads.

        The plain difference must be as many spreads of plain differences too: a noisy loss that comes
        near zero has large ratios for no reason.
        """
        if self.height(value, base) <= max(jump, spreads * self.spread):
            return False
        if self.count < FRESH or not self.scale.is_ratio:
            return True
        return value - base > spreads * sorted_spread(self._plain.ordered)

    def accept(self, value: float) -> None:
        """Take in one point that belongs to the normal course."""
        if not self._fixed:
            self._learn_scale(value)
        if self.count:
            self._points.append((value, self.level, self._short.median, self._straight_on()))
            self._deviate(*self._points[-1])
        self._remember(value)
        self._last = self._last[1], value
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
        self._lowest, self._highest = min(self._lowest, middle), max(self._highest, middle)

    def _deviate(self, value: float, level: float, recent: float, straight: float) -> None:
        """Note how far a point is from the level, from its neighbours, and from a straight course."""
        self._deviations.push(self.height(value, level))
        near = self.height(value, recent)
        self._noise.push(near)
        self._fresh.push(near)
        self._plain.push(value - recent)
        self._bends.push(abs(self.height(value, straight)))

    def _straight_on(self) -> float:
        """Return where the last two points lead, by ratio or by difference."""
        before, last = self._last
        if self.count < 2:
            return last
        if not self.scale.is_ratio:
            return 2 * last - before
        return last * min(last / before, 1e9) if before > 0 else last

    def _learn_scale(self, value: float) -> None:
        """Notice a negative loss, the range of such a one, and the rounding of a small one."""
        if value < 0 and self.scale.is_ratio:
            self.scale = Scale(unit=self._range)
            self._clear()
            for point in self._points:
                self._deviate(*point)
        step = abs(value - self._last[1])
        self._repeats += step == 0
        if 0 < step < self._least_step:
            self._least_step = step
        if not self.scale.is_ratio:
            self.scale = Scale(unit=self._range)
        elif self._repeats >= _REPEATS and math.isfinite(self._least_step):
            self.scale = Scale(floor=3 * self._least_step)

    @property
    def _range(self) -> float:
        width = self._highest - self._lowest
        return width if 0 < width < math.inf else math.inf
