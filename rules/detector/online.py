"""Follows the loss while the job runs: a warning at the first bad batch, an alarm once it is certain."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal, TypeAlias

from .epochs import EpochStart
from .incident import Incident
from .robust import LARGEST
from .stage import Place, Stage

Level: TypeAlias = Literal["warning", "alarm"]

BLOCK = 8
"""Points that make one point of the second stage."""


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


class OnlineDetector:
    """Finds the upward jumps of a loss that stay, point by point in constant time and memory.

    A point is bad when it stands clearly above the running level: at least 1.6 times, and four times the
    noise. One bad point is a warning. The alarm weighs how long it lasts against how often single points
    stood out before in this very run (see `evidence.Outliers`): two epochs suffice on a clean curve, a
    curve full of bad batches must stay up for longer. A second stage does the same with medians of eight
    points, for curves so noisy that single points tell nothing. A loss that is not finite alarms at once.
    After an alarm the detector is silent until the loss is back at its level, or has settled at another.
    """

    def __init__(self) -> None:
        self._fine = Stage()
        self._coarse = Stage()
        self._coarse.outliers.batches = True
        self._block: deque[tuple[Place, float]] = deque(maxlen=BLOCK)
        self._count = 0
        self._incident: Incident | None = None
        self._epoch: float | None = None
        self._epochs = EpochStart()

    @property
    def open(self) -> bool:
        """Whether an incident was alarmed and is not over."""
        return self._incident is not None and not self._incident.over

    @property
    def calm(self) -> bool:
        """Whether the loss is at its level: no incident is open, and no point is under suspicion."""
        return not self.open and self._fine.onset is None

    @property
    def baseline(self) -> float | None:
        """The level that the next loss is compared with; None before the first."""
        return self._fine.baseline.level if self._fine.baseline.count else None

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
        here = Place(step, epoch, batch)
        disguised = loss == 0 and grad_norm is not None and not math.isfinite(grad_norm)
        if not math.isfinite(loss) or disguised:
            return self._nonfinite(here, loss)
        self._notice_batches(epoch)
        if self._incident is not None and not self._incident.over:
            self._follow(loss)
            return None
        if self._incident is not None:
            self._incident.calm += 1
        return self._judge(here, max(-LARGEST, min(loss, LARGEST)))

    def _notice_batches(self, epoch: float | None) -> None:
        if epoch is not None and self._epoch is not None:
            self._fine.outliers.batches = epoch - self._epoch < 0.5
        self._epoch = epoch

    def _judge(self, here: Place, loss: float) -> Signal | None:
        state = self._fine.push(here, loss, self._epochs.push(here.epoch, loss))
        if state == "certain" and self._fine.onset is not None:
            return self._alarm(self._fine.onset, loss)
        coarse = self._judge_block(here, loss)
        if coarse is not None:
            return self._alarm(coarse, loss)
        if state == "first" and self._fine.onset is not None and self._fine.outliers.rare:
            return _signal("warning", self._fine.onset, loss)
        return None

    def _judge_block(self, here: Place, loss: float) -> Place | None:
        """Judge a block once it is full; return its onset when it is certain."""
        self._block.append((here, loss))
        self._count += 1
        if self._count % BLOCK:
            return None
        ordered = sorted(value for _, value in self._block)
        median = 0.5 * (ordered[BLOCK // 2 - 1] + ordered[BLOCK // 2])
        state = self._coarse.push(self._first_high(), median)
        return self._coarse.onset if state == "certain" else None

    def _first_high(self) -> Place:
        """Return the point of the block from which on most points are up."""
        ordered = sorted(value for _, value in self._block)
        return next(place for place, value in self._block if value >= ordered[BLOCK // 2])

    def _alarm(self, onset: Place, loss: float, nonfinite: bool = False) -> Signal | None:
        """Open an incident; one that follows on the heels of the last is the same fault."""
        if self._incident is not None and self._incident.goes_on:
            self._incident.reopen()
            return None
        self._incident = Incident(self._fine.baseline, onset.before)
        return _signal("alarm", onset, loss, nonfinite)

    def _nonfinite(self, here: Place, loss: float) -> Signal | None:
        if self._incident is not None and not self._incident.over:
            self._incident.push_nonfinite()
            return None
        before = self.baseline
        onset = self._fine.onset or Place(
            here.step, here.epoch, here.batch, math.nan if before is None else before
        )
        return self._alarm(onset, loss, nonfinite=True)

    def _follow(self, loss: float) -> None:
        incident = self._incident
        if incident is None or not incident.push(max(-LARGEST, min(loss, LARGEST))):
            return
        for stage in (self._fine, self._coarse):
            stage.forget(incident.settled)
        self._block.clear()
        self._count = 0


def _signal(level: Level, onset: Place, loss: float, nonfinite: bool = False) -> Signal:
    before = onset.before if math.isfinite(onset.before) else None
    ratio = loss / before if before is not None and before > 0 and math.isfinite(loss) else None
    return Signal(level, onset.step, onset.epoch, onset.batch, before, loss, ratio, nonfinite)
