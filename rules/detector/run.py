"""The curves of one run, prepared for judgement."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .curve import Curve
from .excursions import Excursion
from .finding import Change
from .levels import lasting_level
from .track import Track

_MOVED = math.log(1.15)
_ROOM = 5
_LONG = 64
_LOW_JUMP = math.log(1.3)
_CALM = 6.0
"""Spreads of the curve's noise that a low jump must stand out by."""


@dataclass
class Run:
    """The curves of a run.

    Attributes:
        train: training loss.
        val: validation loss, None without at least two values.
        lr: learning rate, None where unknown.
        grad_norm: gradient norm, None where unknown.
    """

    train: Track
    val: Track | None
    lr: Curve | None
    grad_norm: Curve | None

    @cached_property
    def val_jump(self) -> Excursion | None:
        """The jump that the validation loss ends in, also where single points are too noisy to show it."""
        if self.val is None:
            return None
        jump = self.val.jumps[-1] if self.val.jumps else lasting_level(self.val)
        return jump if jump is not None and jump.open and jump.start > 0 else None

    @cached_property
    def closer(self) -> Run | None:
        """The run with jumps too low in themselves, where its training loss is calm enough for them."""
        if len(self.train) < _LONG or not self.train.scale.is_ratio:
            return None
        return replace(self, train=Track(self.train.raw, _LOW_JUMP, _CALM))

    def step_of(self, e: Excursion) -> int:
        """Return the step at which an excursion of the training loss began."""
        return int(self.train.curve.step[e.start])

    def validation_change(self, step: int) -> Change | None:
        """Return how the validation loss changed at a step of training, None where it was not recorded."""
        if self.val is None:
            return None
        room = 2 * max(self.val.interval, self.train.interval)
        for e in (*self.val.jumps, *self.val.outliers):
            if abs(self.val.curve.step[e.start] - step) <= room:
                return self.val.change(e)
        return self.val.change_near(step)

    def synchrony(self, e: Excursion) -> str:
        """Return whether validation rose with a jump of training: ``both``, ``alone`` or ``unknown``."""
        if self.val is None:
            return "unknown"
        index = int(np.searchsorted(self.val.curve.step, self.step_of(e)))
        before = self.val.level_before(index)
        after = self.val.values[index : index + _ROOM]
        if before is None or not len(after):
            return "unknown"
        return "both" if self.val.scale.between(float(np.median(after)), before) > _MOVED else "alone"
