"""Follows the loss while the job runs: a warning at the first bad batch, an alarm once it is certain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .baseline import Baseline
from .evidence import Outliers

Level: TypeAlias = Literal["warning", "alarm"]

JUMP = math.log(1.6)
"""Least height of a bad point: a lasting doubling stands clear of it under noise of 5 %."""
SPREADS = 4.0
"""Least height of a bad point in units of the noise."""
QUIET = 5
"""Points before anything is judged."""
_UNSURE = 10.0
PLATEAU = 50
"""Bad points in a row, none of them news, after which the new level counts as normal."""


@dataclass(frozen=True)
class Signal:
    """What the detector has to say about the point just pushed.

    Attributes:
        level: ``warning`` at the first bad point of an excursion, ``alarm`` once per fault.
        step: the first bad step; an alarm names the step of its warning.
        epoch: epoch of that step, None where unknown.
        batch: batch of that step, None where unknown.
        before: level before it.
        value: the loss at the point just pushed.
        ratio: ``value / before``; None where the loss is negative or not finite.
        nonfinite: the alarm is for a loss that is not finite.
    """

    level: Level
    step: int
    epoch: float | None
    batch: int | None
    before: float | None
    value: float
    ratio: float | None
    nonfinite: bool = False


@dataclass(frozen=True)
class _Onset:
    step: int
    epoch: float | None
    batch: int | None
    before: float


class OnlineDetector:
    """Finds the upward jumps of a loss that stay, point by point in constant time and memory.

    A point is bad when it stands at least `JUMP` and `SPREADS` times the noise above the running level.
    One bad point is a warning. The alarm weighs how long it lasts against how often single points stood
    out before in this very run (see `Outliers`): two epochs suffice on a clean curve, a curve full of
    bad batches must stay up for longer. A loss that is not finite alarms at once. After an alarm the
    detector is silent until the loss is back at its level, or has settled at another.
    """

    def __init__(self) -> None:
        self._baseline = Baseline()
        self._outliers = Outliers()
        self._onset: _Onset | None = None
        self._pending: list[float] = []
        self._open = False
        self._epoch: float | None = None
        self._good = 0
        self._length = 0

    @property
    def open(self) -> bool:
        """Whether an incident was alarmed and is not over."""
        return self._open

    @property
    def baseline(self) -> float | None:
        """The level that the next loss is compared with; None before the first."""
        return self._baseline.level if self._baseline.count else None

    def push(
        self,
        step: int,
        loss: float,
        epoch: float | None = None,
        batch: int | None = None,
        *,
        grad_norm: float | None = None,
    ) -> Signal | None:
        """Take in the next point.

        Args:
            step: number of the step or epoch, in any unit.
            loss: its loss; NaN and infinities are welcome.
            epoch: passed through to the signal.
            batch: passed through to the signal.
            grad_norm: gradient norm of the step; a loss of exactly 0 beside a norm that is not finite
                is a NaN that a trainer replaced before logging.
        """
        before = self._baseline.level if self._baseline.count else math.nan
        here = _Onset(step, epoch, batch, before)
        if not math.isfinite(loss) or (loss == 0 and grad_norm is not None and not math.isfinite(grad_norm)):
            return self._nonfinite(here, loss)
        if self._baseline.count < QUIET:
            self._baseline.accept(loss)
            return None
        self._notice_batches(epoch)
        bad = self._is_bad(loss)
        if self._open:
            self._follow(loss, bad)
            return None
        return self._watch(here, loss, bad)

    def _notice_batches(self, epoch: float | None) -> None:
        if epoch is not None and self._epoch is not None:
            self._outliers.batches = epoch - self._epoch < 0.5
        self._epoch = epoch

    def _is_bad(self, loss: float) -> bool:
        base = self._onset.before if self._onset else self._baseline.level
        # The spread of a few points is itself uncertain, so that a short past asks for more.
        noise = self._baseline.spread * (1 + _UNSURE / self._baseline.count)
        return self._baseline.height(loss, base) > max(JUMP, SPREADS * noise)

    def _watch(self, here: _Onset, loss: float, bad: bool) -> Signal | None:
        """Weigh one more point while no incident is open."""
        if self._onset is None and not bad:
            self._outliers.add(bad=False)
            self._baseline.accept(loss)
            return None
        first = self._onset is None
        if first:
            self._onset = here
        self._pending.append(loss)
        self._outliers.weigh(bad=bad)
        if self._outliers.certain:
            return self._alarm(loss)
        if self._outliers.refuted:
            self._dismiss()
            return None
        return self._signal("warning", loss) if first and self._outliers.rare else None

    def _signal(self, level: Level, loss: float, nonfinite: bool = False) -> Signal:
        onset = self._onset
        assert onset is not None  # noqa: S101 - a signal follows an onset
        known = math.isfinite(onset.before)
        ratio = loss / onset.before if known and onset.before > 0 and math.isfinite(loss) else None
        before = onset.before if known else None
        return Signal(level, onset.step, onset.epoch, onset.batch, before, loss, ratio, nonfinite)

    def _alarm(self, loss: float, nonfinite: bool = False) -> Signal:
        self._open, self._good, self._length = True, 0, len(self._pending)
        signal = self._signal("alarm", loss, nonfinite)
        self._outliers.forget()
        return signal

    def _nonfinite(self, here: _Onset, loss: float) -> Signal | None:
        if self._open:
            self._good = 0
            self._length += 1
            return None
        self._onset = self._onset or here
        return self._alarm(loss, nonfinite=True)

    def _dismiss(self) -> None:
        """The excursion was noise: remember it as such."""
        self._outliers.settle()
        for value in self._pending:
            self._baseline.accept(value)
        self._pending = []
        self._onset = None

    def _follow(self, loss: float, bad: bool) -> None:
        """Watch an open incident for its end: back to the old level, or settled at a new one."""
        self._length += 1
        self._pending = [*self._pending[-PLATEAU + 1 :], loss]
        self._good = 0 if bad else self._good + 1
        if self._good >= min(max(3, self._length // 4), PLATEAU):
            self._close([])
        elif len(self._pending) >= PLATEAU and self._settled():
            self._close(self._pending)

    def _settled(self) -> bool:
        half = PLATEAU // 2
        early, late = sorted(self._pending[:half]), sorted(self._pending[half:])
        middle = half // 2
        allowed = max(JUMP / 2, 2 * self._baseline.spread)
        return abs(self._baseline.height(late[middle], early[middle])) < allowed and (
            self._baseline.height(late[-2], late[1]) < 4 * allowed
        )

    def _close(self, values: list[float]) -> None:
        self._baseline.rebase(values)
        self._onset, self._open, self._pending = None, False, []
