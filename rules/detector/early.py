"""What moves before the loss does: gradients, updates, activations, attention scores and the loss scale.

Every judgement at a step uses nothing after it, so what is said of a finished run is what could have been
said while it ran.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

WINDOW = 32
"""Values that make a level."""
_FEWEST = 12
_PERSISTS = 3
"""Values in a row that must be up: one hard batch is no news."""
_FACTOR = 3.0
_SPREADS = 8.0
_BEYOND = 1.5
"""How far above the highest excursion that passed without harm the next one must be."""
_CLEAR = 1.2
"""Factor over the highest value of the level."""
_QUARTILES = 1.349
"""Interquartile range of a normal distribution, in standard deviations."""
_HALVINGS = 6
"""Times that the loss scale is halved in a row; fewer belong to its search for the right one."""
_SETTLED = 8


@dataclass(frozen=True)
class Precursor:
    """One quantity that has left its level upwards, or the loss scale downwards.

    Attributes:
        quantity: evidence name.
        first: step of the first value outside.
        step: step at which that was certain.
        before: level before; ``value`` is the latest value.
    """

    quantity: str
    first: int
    step: int
    before: float
    value: float


class Rise:
    """Follows a positive quantity on a logarithmic scale: its level is the median of the last values.

    An excursion is certain when three values in a row are at least three times the level, eight times its
    spread above it, and clearly above all that passed without harm before in this very run. One that stays
    becomes the new level.
    """

    def __init__(self, quantity: str) -> None:
        self._quantity = quantity
        self._order: deque[float] = deque()
        self._sorted: list[float] = []
        self._up: list[tuple[int, float]] = []
        self._passed = 0.0

    def push(self, step: int, value: float) -> Precursor | None:
        """Take in the next value, in constant time; one that is no positive number tells nothing."""
        if not (math.isfinite(value) and value > 0):
            return None
        log = math.log(value)
        if len(self._sorted) >= _FEWEST and log > self._bar():
            self._up.append((step, log))
            if len(self._up) == _PERSISTS:
                return Precursor(self._quantity, self._up[0][0], step, math.exp(self._at(0.5)), value)
            if len(self._up) >= WINDOW:
                self._settle()
            return None
        if self._up:
            self._passed = max(self._passed, max(high for _, high in self._up) - self._at(0.5))
            self._up.clear()
        self._take(log)
        return None

    def _at(self, share: float) -> float:
        return self._sorted[int(share * (len(self._sorted) - 1))]

    def _bar(self) -> float:
        level = self._at(0.5)
        spread = (self._at(0.75) - self._at(0.25)) / _QUARTILES
        rise = max(math.log(_FACTOR), _SPREADS * spread, _BEYOND * self._passed)
        return max(level + rise, self._sorted[-1] + math.log(_CLEAR))

    def _take(self, log: float) -> None:
        self._order.append(log)
        insort(self._sorted, log)
        if len(self._order) > WINDOW:
            del self._sorted[bisect_left(self._sorted, self._order.popleft())]

    def _settle(self) -> None:
        """Take the values that have stayed up for a new level."""
        self._order.clear()
        self._sorted.clear()
        for _, log in self._up:
            self._take(log)
        self._up.clear()


class Fall:
    """Follows the loss scale: halved again and again after it had settled, it will not find a good value."""

    def __init__(self, quantity: str) -> None:
        self._quantity = quantity
        self._last = math.nan
        self._same = 0
        self._top: float | None = None
        self._first = 0

    def push(self, step: int, value: float) -> Precursor | None:
        """Take in the next value."""
        last, self._last = self._last, value
        if value == last:
            self._same += 1
            if self._same >= _SETTLED:
                self._top = None
            return None
        settled, self._same = self._same >= _SETTLED, 0
        if not value < last:
            self._top = None
        elif settled and self._top is None:
            self._top, self._first = last, step
        if self._top is not None and value <= self._top / 2**_HALVINGS:
            found = Precursor(self._quantity, self._first, step, self._top, value)
            self._top = None
            return found
        return None


_WATCHED: dict[str, type[Rise | Fall]] = {
    "grad.norm": Rise,
    "update.norm": Rise,
    "act.norm": Rise,
    "attn.logit_max": Rise,
    "amp.scale": Fall,
}


class EarlyWarnings:
    """Follows all of them through the steps of a run."""

    def __init__(self) -> None:
        self._followed = {name: kind(name) for name, kind in _WATCHED.items()}

    def push(self, step: int, values: Mapping[str, object]) -> list[Precursor]:
        """Take in a step's record; return what has become certain at it."""
        found = []
        for name, followed in self._followed.items():
            value = _value(name, values)
            precursor = followed.push(step, value) if value is not None else None
            if precursor is not None:
                found.append(precursor)
        return found


def precursors(steps: Iterable[tuple[int, Mapping[str, object]]], onset: int) -> list[Precursor]:
    """Return what had become certain before a loss jumped, the earliest first, each quantity once.

    What has come back to its level since is left out, as far as a new excursion shows it.

    Args:
        steps: (step, values of its record) in order; those from the onset on are not looked at.
        onset: step of the first bad loss.
    """
    followed = EarlyWarnings()
    latest: dict[str, Precursor] = {}
    for step, values in steps:
        if step >= onset:
            break
        for precursor in followed.push(step, values):
            latest[precursor.quantity] = precursor
    return sorted(latest.values(), key=lambda precursor: precursor.step)


def _value(name: str, values: Mapping[str, object]) -> float | None:
    """Return a quantity; updates as for a rate of 1, since a schedule's own rise is no news."""
    value = values.get(name)
    if not isinstance(value, float | int):
        return None
    if name != "update.norm":
        return float(value)
    rate = values.get("lr")
    return value / rate if isinstance(rate, float | int) and rate else None
