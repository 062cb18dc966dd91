"""One level of the online detector: a baseline, and an excursion under test."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .baseline import Baseline
from .evidence import Outliers
from .excursions import JUMP, SPREADS

State: TypeAlias = Literal["calm", "first", "bad", "certain"]

DIFFERENCE = math.log(2)
"""Least height where the loss is negative: a rise by all that it has covered so far."""
QUIET = 5
"""Points before anything is judged."""


@dataclass(frozen=True)
class Place:
    """A record that may turn out to be an onset, with the level before it.

    Attributes:
        step: its step.
        epoch: its epoch, None where unknown.
        batch: its batch, None where unknown.
        before: level before it; NaN where nothing came before.
    """

    step: int
    epoch: float | None
    batch: int | None
    before: float = math.nan


@dataclass
class Stage:
    """Judges point after point against its own past.

    Attributes:
        baseline: level and spread of the accepted points.
        outliers: weighs how long an excursion lasts.
        onset: first point of the excursion under test.
    """

    baseline: Baseline = field(default_factory=Baseline)
    outliers: Outliers = field(default_factory=Outliers)
    onset: Place | None = None
    _pending: list[float] = field(default_factory=list)

    def push(self, here: Place, loss: float, opening: float = -math.inf) -> State:
        """Judge one finite loss: part of the normal course, first or later of an excursion, or certain.

        Args:
            here: its place.
            loss: its value.
            opening: level that is normal here although it is above the baseline, as at the start of an
                epoch of unshuffled data.
        """
        if self.baseline.count < QUIET:
            self.baseline.accept(loss)
            return "calm"
        level = self.onset.before if self.onset else max(self.baseline.level, opening)
        bad = self._stands_out(loss, level)
        if self.onset is None and not bad:
            self.outliers.add(bad=False)
            self.baseline.accept(loss)
            return "calm"
        first = self.onset is None
        if first:
            self.onset = Place(here.step, here.epoch, here.batch, level)
        self._pending.append(loss)
        self.outliers.weigh(bad=bad)
        if self.outliers.certain and self._stays_up():
            return "certain"
        if self.outliers.refuted:
            self._dismiss()
            return "calm"
        return "first" if first else "bad"

    def _stands_out(self, loss: float, base: float) -> bool:
        jump = JUMP if self.baseline.scale.is_ratio else DIFFERENCE
        return self.baseline.stands_out(loss, base, jump, SPREADS)

    def _stays_up(self) -> bool:
        """Whether most of the points since the onset are up: more noise alone throws points both ways."""
        low = sorted(self._pending)[(len(self._pending) - 1) // 4]
        return self.onset is not None and self.baseline.height(low, self.onset.before) > 0.75 * JUMP

    def _dismiss(self) -> None:
        """The excursion was noise: remember it as such."""
        self.outliers.settle()
        for value in self._pending:
            self.baseline.accept(value)
        self._pending, self.onset = [], None

    def forget(self, level: list[float]) -> None:
        """Leave the excursion out of the normal course, and take up a new level where there is one."""
        self.outliers.forget()
        self.baseline.rebase(level)
        self._pending, self.onset = [], None
