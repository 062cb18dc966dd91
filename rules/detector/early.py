"""What moves before the loss does: gradients, updates, activations, attention scores and the loss scale.

And a loss that climbs before it jumps.

Every judgement at a step uses nothing after it, so what is said of a finished run is what could have been
said while it ran.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from .windows import SortedWindow

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
_BACK = 5
"""Values that show whether a quantity has come back."""
_CLIMB_WINDOW = 64
_SLACK = 1.0
"""Spreads above its level that a loss may stand at without adding up."""
_MOST = 3.0
"""Spreads that one loss counts for at most: a few bad batches make no climb."""
_SUM = 12.0
"""Spreads that make a climb certain, added up."""
_ROUNDING = 0.01
"""Share of its level that the spread of a loss counts as at least."""


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
        self._level = SortedWindow(WINDOW)
        self._up: list[tuple[int, float]] = []
        self._passed = 0.0

    def push(self, step: int, value: float) -> Precursor | None:
        """Take in the next value, in constant time; one that is no positive number tells nothing."""
        if not (math.isfinite(value) and value > 0):
            return None
        log = math.log(value)
        if len(self._level) >= _FEWEST and log > self._bar():
            self._up.append((step, log))
            if len(self._up) == _PERSISTS:
                before = math.exp(_share(self._level, 0.5))
                return Precursor(self._quantity, self._up[0][0], step, before, value)
            if len(self._up) >= WINDOW:
                self._settle()
            return None
        if self._up:
            highest = max(high for _, high in self._up)
            self._passed = max(self._passed, highest - _share(self._level, 0.5))
            self._up.clear()
        self._level.push(log)
        return None

    def _bar(self) -> float:
        rise = max(math.log(_FACTOR), _SPREADS * _spread(self._level), _BEYOND * self._passed)
        return max(_share(self._level, 0.5) + rise, self._level.ordered[-1] + math.log(_CLEAR))

    def _settle(self) -> None:
        """Take the values that have stayed up for a new level."""
        self._level = SortedWindow(WINDOW)
        for _, log in self._up:
            self._level.push(log)
        self._up.clear()


class Climb:
    """Follows the loss: a change-point upwards, too small for a jump, by the cumulative sum of Page (1954).

    Deviations from the median of the last values, in robust standard deviations, are added up above a slack.
    Healthy losses climb too, as those of two networks that learn against each other, so that this tells
    something only once the loss has jumped.
    """

    def __init__(self, quantity: str) -> None:
        self._quantity = quantity
        self._level = SortedWindow(_CLIMB_WINDOW)
        self._sum, self._first = 0.0, 0

    def push(self, step: int, value: float) -> Precursor | None:
        """Take in the next loss; the level is learnt anew after each climb."""
        if not math.isfinite(value):
            return None
        found = self._judge(step, value) if len(self._level) >= WINDOW else None
        if found is not None:
            self._sum, self._level = 0.0, SortedWindow(_CLIMB_WINDOW)
        self._level.push(value)
        return found

    def _judge(self, step: int, value: float) -> Precursor | None:
        level = _share(self._level, 0.5)
        spread = max(_spread(self._level), _ROUNDING * abs(level), 1e-12)
        total = max(0.0, self._sum + min((value - level) / spread, _MOST) - _SLACK)
        if total > 0 and not self._sum:
            self._first = step
        self._sum = total
        return Precursor(self._quantity, self._first, step, level, value) if total >= _SUM else None


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


_Values: TypeAlias = Mapping[str, object]
_WATCHED: dict[str, type[Rise | Fall | Climb]] = {
    "grad.norm": Rise,
    "update.norm": Rise,
    "act.norm": Rise,
    "act.kurtosis": Rise,
    "attn.logit_max": Rise,
    "amp.scale": Fall,
    "loss": Climb,
}
_AFTERWARDS = ("loss",)
"""Those that are told of only once the loss has jumped."""


class EarlyWarnings:
    """Follows them through the steps of a run.

    Args:
        live: tell what may be said before anything has happened; else also what speaks only then.
    """

    def __init__(self, *, live: bool = True) -> None:
        self._followed = {
            name: kind(name) for name, kind in _WATCHED.items() if not (live and name in _AFTERWARDS)
        }
        self._recent: dict[str, deque[float]] = {}

    def push(self, step: int, values: _Values) -> list[Precursor]:
        """Take in a step's record; return what has become certain at it."""
        found = []
        for name, followed in self._followed.items():
            value = _value(name, values)
            if value is None:
                continue
            self._recent.setdefault(name, deque(maxlen=_BACK)).append(value)
            precursor = followed.push(step, value)
            if precursor is not None:
                found.append(precursor)
        return found

    def came_back(self, found: Precursor) -> bool:
        """Whether a quantity is nearer to its old level than to what was told of it."""
        now = sorted(self._recent[found.quantity])[len(self._recent[found.quantity]) // 2]
        return abs(now - found.before) < abs(now - found.value)


def precursors(steps: Iterable[tuple[int, _Values]], onset: int) -> list[Precursor]:
    """Return what had become certain before a loss jumped, the earliest first, each quantity once.

    What has come back to its level since is left out, and so is what left it in the first half of the run so
    far: while a network begins to learn its activations grow as a matter of course.

    Args:
        steps: (step, values of its record) in order; those from the onset on are not looked at.
        onset: step of the first bad loss.
    """
    followed = EarlyWarnings(live=False)
    latest: dict[str, Precursor] = {}
    began = onset
    for step, values in steps:
        if step >= onset:
            break
        began = min(began, step)
        for precursor in followed.push(step, values):
            latest[precursor.quantity] = precursor
    half = (began + onset) / 2
    late = [precursor for precursor in latest.values() if precursor.first >= half]
    lasting = [precursor for precursor in late if not followed.came_back(precursor)]
    return sorted(lasting, key=lambda precursor: precursor.step)


def _share(window: SortedWindow, share: float) -> float:
    return window.ordered[int(share * (len(window) - 1))]


def _spread(window: SortedWindow) -> float:
    return (_share(window, 0.75) - _share(window, 0.25)) / _QUARTILES


def _value(name: str, values: _Values) -> float | None:
    """Return a quantity; updates as for a rate of 1, since a schedule's own rise is no news."""
    value = values.get(name)
    if not isinstance(value, float | int):
        return None
    if name != "update.norm":
        return float(value)
    rate = values.get("lr")
    return value / rate if isinstance(rate, float | int) and rate else None
