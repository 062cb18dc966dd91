"""The windows round a spike that facts are computed on."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ...probes.evidence.reader import FloatArray, RankEvidence, RunEvidence, Series

if TYPE_CHECKING:
    from ...probes.evidence import Event, Step, Value

BASELINE = 200
"""Steps before the onset that make the baseline of a per-step quantity."""
GUARD = 20
"""Steps right before the onset that are searched for what moved first, and kept out of the baseline."""
SOON = 30
"""Steps from the onset on that show whether a change lasts."""
AHEAD = 3
"""Steps from the onset on that still count as the moment of the spike."""
_ENOUGH = 24
"""Values from which on a baseline need not reach back before its window."""
_LEVEL = 12
"""Latest values of a baseline that make its level."""
_DEPARTED = 3.0
"""Times its level that a quantity reaches at least when it leaves it."""
_FEWEST = 3
"""Values that a baseline needs; with fewer the fact stays unknown."""


class FindingLike(Protocol):
    """What facts need to know of the detector's finding."""

    @property
    def nonfinite(self) -> bool:
        """Whether the loss became NaN or infinite."""

    @property
    def recovered(self) -> bool:
        """Whether the loss came back by itself."""


@dataclass
class Context:
    """A run seen from the onset of its spike.

    Attributes:
        run: all evidence.
        onset: step of the first bad loss; None when there is no spike, and the baseline is the whole run.
        last: last step to look at.
    """

    run: RunEvidence
    onset: int | None
    finding: FindingLike | None = None
    rank: RankEvidence = field(init=False)
    _cache: dict[str, Series] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.rank = self.run.primary
        self._steps = [record.step for record in self.rank.steps]

    @property
    def coarse(self) -> bool:
        """Whether a record stands for many steps, as in most logs of other tools."""
        return self.run.manifest.source != "probes"

    @property
    def first(self) -> int:
        """First recorded step."""
        return self._steps[0] if self._steps else 0

    @property
    def last(self) -> int:
        """Last recorded step."""
        return self._steps[-1] if self._steps else 0

    @property
    def at(self) -> int:
        """The onset, or one past the last step where there is none."""
        return self.last + 1 if self.onset is None else self.onset

    @property
    def baseline(self) -> tuple[int, int]:
        """First and last step of the baseline: a guard gap before the onset is left out."""
        end = self.at - 1
        span = end - self.first + 1
        # A short history cannot spare the whole gap.
        gap = min(GUARD, span // 4) if self.onset is not None else 0
        return max(self.first, end - gap - BASELINE + 1), end - gap

    @property
    def moment(self) -> tuple[int, int]:
        """First and last step of the spike itself and of what led to it."""
        return self.baseline[1] + 1, min(self.at + AHEAD, self.last)

    @property
    def aftermath(self) -> tuple[int, int]:
        """The steps that follow the onset."""
        return self.at, min(self.at + BASELINE, self.last)

    def records(self, first: int, last: int) -> Sequence[Step]:
        """Return the step records with ``first <= step <= last``."""
        low, high = bisect_left(self._steps, first), bisect_left(self._steps, last + 1)
        return self.rank.steps[low:high]

    def series(self, name: str) -> Series:
        """Return a quantity from the baseline to the aftermath."""
        if name not in self._cache:
            self._cache[name] = self._collect(name)
        return self._cache[name]

    def _collect(self, name: str) -> Series:
        steps, values = [], []
        for record in self.records(self.baseline[0], self.aftermath[1]):
            value = record.v.get(name)
            if isinstance(value, int | float):
                steps.append(record.step)
                values.append(value)
        return Series(
            np.array(steps, dtype=np.int64), np.array(values, dtype=np.float64), np.full(len(steps), np.nan)
        )

    def before(self, name: str) -> FloatArray:
        """Return the finite baseline values of a quantity, empty where there are too few.

        A sensor that the budget lets run on few steps only has a baseline that reaches further back.
        """
        values = self.base_of(self.series(name))
        if len(values) < _ENOUGH:
            values = _finite(self.rank.series(name).between(self.first, self.baseline[1]).value)[-_ENOUGH:]
        return values if len(values) >= _FEWEST else values[:0]

    def base_of(self, series: Series) -> FloatArray:
        """Return the finite values of a series in the baseline, empty where there are too few."""
        values = _finite(series.between(*self.baseline).value)
        return values if len(values) >= _FEWEST else values[:0]

    def history(self, name: str) -> list[tuple[int, Value]]:
        """Return (step, value) of a quantity of any type in the baseline, reaching back as in `before`."""
        first, last = self.baseline
        rows = self.texts(name, first, last)
        return rows if len(rows) >= _ENOUGH else self.texts(name, self.first, last)[-_ENOUGH:]

    def later(self, name: str) -> list[tuple[int, Value]]:
        """Return (step, value) of a quantity of any type soon after the onset, or as soon as there is one."""
        soon = self.texts(name, self.at, self.at + SOON)
        return soon or self.texts(name, self.at, self.aftermath[1])

    def during(self, name: str) -> Series:
        """Return a quantity in the moment of the spike, non-finite values included."""
        return self.series(name).between(*self.moment)

    def leading(self, name: str) -> Series:
        """Return a quantity in the moment of the spike up to the onset, and not what followed from it."""
        return self.series(name).between(self.moment[0], self.at)

    def after(self, name: str) -> FloatArray:
        """Return the values from the onset on."""
        return self.series(name).between(*self.aftermath).value

    def onset_value(self, name: str) -> float | None:
        """Return the value at the onset, or at the first step after it that has one."""
        values = self.series(name).between(self.at, self.at + AHEAD).value
        return float(values[0]) if len(values) else None

    @cached_property
    def updates(self) -> Series:
        """Size of each known update, measured or read from the optimizer's state one step later."""
        known: dict[int, float] = {}
        rates = {r.step: r.v.get("lr") for r in self.records(self.baseline[0] - 1, self.aftermath[1])}
        last = self.series("update.last")
        for step, value in zip(last.step.tolist(), last.value.tolist(), strict=True):
            # The state does not hold the rate, and the schedule may have moved on since.
            then, now = rates.get(step - 1), rates.get(step)
            if isinstance(then, float) and isinstance(now, float) and now > 0 and step > self.first:
                known[step - 1] = value * then / now
        measured = self.series("update.norm")
        known |= dict(zip(measured.step.tolist(), measured.value.tolist(), strict=True))
        steps = sorted(known)
        values = np.array([known[step] for step in steps], dtype=np.float64)
        return Series(np.array(steps, dtype=np.int64), values, np.full(len(steps), np.nan))

    @cached_property
    def update_move(self) -> Jump | None:
        """How the size of the updates moved; None where their baseline or moment is unknown."""
        base = self.base_of(self.updates)
        for name in ("update.norm", "update.last"):
            base = base if len(base) else self.before(name)
        return departure(self, self.updates, base) or jump(self, "update.ratio")

    def saw_the_step_before(self, series: Series) -> bool:
        """Whether a quantity was looked at right before the onset, so that silence there means something."""
        return self.coarse or bool(len(series.between(self.at - 1, self.at - 1)))

    @cached_property
    def culprit(self) -> int:
        """Step of the first abnormal gradient or update, else the onset.

        A batch can wreck the weights while its own loss is unremarkable: then the batch to look at is
        the one before the first bad loss.
        """
        if self.onset is None:
            return self.at
        moves = (jump(self, "grad.norm"), self.update_move)
        leads = [move.lead for move in moves if move is not None and move.lead is not None]
        return self.at - max([0, *leads])

    def oddest(self, name: str) -> float | None:
        """Return the value from the culprit to shortly after the onset that is least like the baseline."""
        values = self.series(name).between(self.culprit, self.at + AHEAD).value
        base = self.before(name)
        if not len(values) or not len(base):
            return None
        if not np.isfinite(values).all():
            return float(values[~np.isfinite(values)][0])
        return float(max(values, key=lambda value: abs(value - np.median(base))))

    def texts(self, name: str, first: int, last: int) -> list[tuple[int, Value]]:
        """Return (step, value) of a quantity of any type."""
        return [(r.step, r.v[name]) for r in self.records(first, last) if name in r.v]

    def events(self, name: str, first: int | None = None, last: int | None = None) -> list[Event]:
        """Return the events of one name, by default up to the moment of the spike."""
        low = self.first if first is None else first
        high = self.moment[1] if last is None else last
        return [event for event in self.rank.events if event.name == name and low <= event.step <= high]


@dataclass(frozen=True)
class Jump:
    """How a positive quantity left its baseline.

    Attributes:
        before: median of the baseline.
        peak: largest value in the moment of the spike; infinite when it became non-finite.
        lead: steps from the first departure to the onset; 0 at the onset itself, negative after it,
            None when it never left its baseline.
    """

    before: float
    peak: float
    lead: int | None

    @property
    def ratio(self) -> float:
        """Peak over baseline."""
        if not np.isfinite(self.peak):
            return float("inf")
        return self.peak / max(self.before, 1e-12)


def jump(context: Context, name: str) -> Jump | None:
    """Return how a positive quantity moved, or None where its baseline or moment is unknown."""
    return departure(context, context.series(name), context.before(name))


def departure(context: Context, series: Series, base: FloatArray) -> Jump | None:
    """Return how a series left its baseline in the moment of the spike.

    A departure is a value above three times the latest level and above everything that is usual from
    one value to the next (level plus six robust standard deviations of the logarithm). The spread is taken
    from neighbours, so that stages of a schedule do not count as noise.
    """
    moment = series.between(*context.moment)
    if not len(base) or not len(moment):
        return None
    center = float(np.median(base[-_LEVEL:]))
    steps = np.abs(np.diff(np.log(np.maximum(base, 1e-30))))
    spread = 1.4826 * float(np.median(steps)) / math.sqrt(2)
    limit = center * max(_DEPARTED, math.exp(min(6.0 * spread, 50.0)))
    beyond = ~(moment.value <= limit)
    peak = float(np.max(moment.value)) if np.isfinite(moment.value).all() else float("inf")
    lead = context.at - int(moment.step[np.argmax(beyond)]) if beyond.any() else None
    return Jump(center, peak, lead)


def _finite(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def slope(values: FloatArray) -> float:
    """Return the robust relative change over a window: median of the last fifth over that of the first."""
    part = max(1, len(values) // 5)
    start = float(np.median(values[:part]))
    return float(np.median(values[-part:])) / start if start else float("nan")


def robust_z(value: float, base: FloatArray) -> float:
    """Return how many robust standard deviations a value lies from the baseline's median, signed.

    The spread never counts as less than a thousandth of the level, so that a constant baseline does not
    turn rounding into a deviation.
    """
    center = float(np.median(base))
    spread = 1.4826 * float(np.median(np.abs(base - center)))
    floor = 1e-3 * abs(center) + 1e-9
    return (value - center) / max(spread, floor)


def number(value: object) -> float | None:
    """Return a number of an event's data, None when it is no number: evidence may come from anywhere."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def mapping(value: object) -> dict[str, Any]:
    """Return a mapping of an event's data, empty when it is none."""
    return dict(value) if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return a list of an event's data, empty when it is none."""
    return list(value) if isinstance(value, list | tuple) else []
