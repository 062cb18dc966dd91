"""The curves of one run, prepared for judgement."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .curve import Curve
from .excursions import Excursion
from .finding import Change
from .track import Track

_MOVED = math.log(1.15)
_ROOM = 5


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
