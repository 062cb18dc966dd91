"""The order in which the explanations of a curve are tried."""

from __future__ import annotations

import math

import numpy as np

from . import patterns
from .changes import jump_at
from .curve import Curve
from .evidence import CERTAIN, STAYS
from .excursions import JUMP, RETURNED, Excursion
from .finding import Change, Finding
from .gradual import rise_of
from .nonfinite import Broken, blow_up, find_broken
from .restart import (
    coming_back,
    counter_went_back,
    learning_rate_rose,
    looks_scheduled,
    reset_level,
    small_bump,
)
from .texts import HEALTHY, INSUFFICIENT, fill, number
from .track import HUGE, Track

LEAST = 5
"""Finite values from which a curve without a jump can be called healthy."""
NOISY = 0.15
"""Spread of single points from which a healthy curve is called noisy."""
_SMALL_JUMP = math.log(1.35)
"""Least height of a jump that the gradient norm confirms."""
_NORM_JUMP = 2.0
_FEW = 10
_MANY = 3
_OFTEN = 0.01
_SELDOM = 0.15


class Judge:
    """Holds the prepared curves of a run and tries one explanation after the other.

    What lasts outranks what passed: a loss that is not finite, a jump that stayed, a planned restart, a
    slow rise, a jump of the validation loss alone, a jump that passed, noise, health.
    """

    def __init__(self, train: Curve, val: Curve | None, lr: Curve | None, grad_norm: Curve | None) -> None:
        self.train = Track(train)
        self.val = Track(val) if val is not None and len(val.finite) > 1 else None
        self.lr = lr
        self.grad_norm = grad_norm
        self.broken = find_broken(train, lr, grad_norm) if len(train) else None

    def finding(self) -> Finding:
        """Return the first explanation that holds."""
        if self.broken is not None:
            return self._nonfinite(self.broken)
        if len(self.train) < 2:
            return self._without_training()
        if not self.train.jumps:
            self._confirm_small_jump()
        return (
            self._lasting_jump()
            or self._validation_jump()
            or self._planned()
            or self._slow()
            or self._validation_shift()
            or self._passing()
            or self._bump()
            or self._calm()
        )

    def _without_training(self) -> Finding:
        if self.val is None:
            return patterns.plain("insufficient", fill(INSUFFICIENT, count=len(self.train), least=LEAST))
        self.train, self.val = self.val, None
        return patterns.only_validation(self.finding())

    # Not finite

    def _nonfinite(self, broken: Broken) -> Finding:
        raw = self.train.raw
        track = (
            Track(Curve(raw.step[: broken.index], raw.value[: broken.index], None)) if broken.index else None
        )
        if track is None or not len(track):
            return patterns.nonfinite(self.train, broken, None, 0, None)
        jump = track.jumps[-1] if track.jumps else None
        if jump is not None and (not jump.open or self._from_the_start(track, jump)):
            jump = None
        count = len(track)
        if jump is None:
            base = track.level_before(max(1, count - 3)) or 0.0
            count -= blow_up(track.values, base) or 0
        step = int(track.curve.step[jump.start]) if jump else broken.step
        return patterns.nonfinite(track, broken, jump, count, self._validation_change(step))

    # Jumps of the training loss

    def _confirm_small_jump(self) -> None:
        """Take a rise too small by itself for a jump when the gradient norm jumped with it."""
        if self.grad_norm is None:
            return
        short = len(self.train) < _FEW
        track = Track(self.train.raw, _SMALL_JUMP, 1.0 if short else 4.0)
        if track.jumps and track.jumps[-1].open:
            change = jump_at(self.grad_norm, int(track.curve.step[track.jumps[-1].start]), after=2)
            if change and change.before > 0 and change.peak / change.before >= _NORM_JUMP:
                self.train = track

    def _lasting_jump(self) -> Finding | None:
        jump = self.train.jumps[-1] if self.train.jumps else None
        if jump is None or not jump.open or self._doubtful(jump):
            return None
        if self._from_the_start(self.train, jump):
            return None
        reset = reset_level(self.train, jump)
        val = self._validation_change(int(self.train.curve.step[jump.start]))
        why = self._planned_because(jump, reset)
        if why and coming_back(self.train, jump):
            return patterns.restart(self.train, jump, val, why, reset)
        return patterns.spike(self.train, jump, "train", val, self._synchrony(jump), reset)

    def _doubtful(self, jump: Excursion) -> bool:
        """Whether a few bad records at the end may be more of the outliers seen before."""
        seen = sum(e.width for e in self.train.outliers)
        if not seen:
            return False
        rate = min(seen / len(self.train), 0.6)
        bad = int(np.sum(self.train.scale.height(self.train.values[jump.start :], jump.base) > JUMP))
        good = jump.width - bad
        odds = bad * math.log(STAYS / rate) + good * math.log((1 - STAYS) / (1 - rate))
        return odds < CERTAIN

    @staticmethod
    def _from_the_start(track: Track, jump: Excursion) -> bool:
        """Whether there was no good phase before the jump."""
        return track.from_start and jump.start <= 2 and track.scale.between(track.first, jump.base) < 0.05

    def _planned_because(self, jump: Excursion, reset: str | None) -> str | None:
        if counter_went_back(self.train, jump):
            return "counter"
        rose = learning_rate_rose(self.lr, self.train.curve.step.astype(np.float64), jump.start)
        if rose:
            return "lr"
        if reset == "start":
            return "reset"
        return "shape" if rose is None and looks_scheduled(self.train, jump) else None

    def _planned(self) -> Finding | None:
        for jump in [] if self._restless(self.train) else self.train.jumps:
            reset = reset_level(self.train, jump)
            why = None if jump.open else self._planned_because(jump, reset)
            if why:
                val = self._validation_change(int(self.train.curve.step[jump.start]))
                return patterns.restart(self.train, jump, val, why, reset)
        return None

    def _bump(self) -> Finding | None:
        bump = small_bump(self.train, self.lr)
        if bump is None:
            return None
        val = self._validation_change(int(self.train.curve.step[bump.start]))
        return patterns.restart(self.train, bump, val, "lr", None)

    # Validation

    def _at(self, step: float) -> int | None:
        """Return the first record of validation that could show what happened at a step of training."""
        if self.val is None:
            return None
        index = int(np.searchsorted(self.val.curve.step, step))
        return index if index < len(self.val) else None

    def _validation_change(self, step: int) -> Change | None:
        if self.val is None:
            return None
        for e in (*self.val.jumps, *self.val.outliers):
            if abs(self.val.curve.step[e.start] - step) <= 2 * max(self.val.interval, self.train.interval):
                return self.val.change(e)
        return self.val.change_near(step)

    def _synchrony(self, jump: Excursion) -> str:
        index = self._at(float(self.train.curve.step[jump.start]))
        if self.val is None or index is None or index == 0:
            return "unknown"
        before = self.val.level_before(index) or 0.0
        after = float(np.median(self.val.values[index:][:5]))
        return "both" if self.val.scale.between(after, before) > math.log(1.15) else "alone"

    def _validation_jump(self) -> Finding | None:
        """A lasting jump of validation that training took part in, if only for a record."""
        jump = self.val.jumps[-1] if self.val is not None and self.val.jumps else None
        if self.val is None or jump is None or not jump.open or jump.start == 0:
            return None
        step = float(self.val.curve.step[jump.start])
        room = max(self.val.interval, 2 * self.train.interval)
        near = [
            e
            for e in (*self.train.jumps, *self.train.outliers)
            if -room <= step - self.train.curve.step[e.start] <= 2 * room
        ]
        if not near:
            return None
        change = self.train.change(near[0])
        last = self.val.scale.between(float(self.val.values[-1]), jump.base)
        if last < 0.35 * jump.peak_height:
            return patterns.transient(self.val, jump, "val", change)
        return patterns.spike(self.val, jump, "val", change, "train", None)

    def _validation_shift(self) -> Finding | None:
        jump = self.val.jumps[-1] if self.val is not None and self.val.jumps else None
        if self.val is None or jump is None or not jump.open or jump.width < 2:
            return None
        return patterns.shift(self.val, jump, self.train.change_near(float(self.val.curve.step[jump.start])))

    # Slow, passing, calm

    def _slow(self) -> Finding | None:
        if self._never_learnt():
            return patterns.never_learnt(
                self.train, float(np.median(self.train.values[len(self.train) // 2 :]))
            )
        rise = rise_of(self.train, self.val)
        if rise is None:
            return None
        track = self.train if rise.series == "train" or self.val is None else self.val
        jump = track.jumps[-1] if track.jumps else None
        sudden = jump is not None and jump.open and jump.height > 0.6 * rise.height
        noisy = self._restless(track) and rise.height < self._typical_outlier(track)
        return None if sudden or noisy else patterns.gradual(rise, track)

    def _never_learnt(self) -> bool:
        """Whether the loss stands far above its first value and hardly ever came near it."""
        track = self.train
        if not track.from_start or len(track) < LEAST or not track.scale.is_ratio:
            return False
        late = float(np.median(track.values[len(track) // 2 :]))
        early = float(np.median(track.values[1 : max(6, len(track) // 10)]))
        if track.scale.between(early, late) > RETURNED:
            return False
        below = float(np.mean(track.values[1:] <= track.first))
        return track.scale.between(late, track.first) > math.log(1.5) and below < _SELDOM

    @staticmethod
    def _restless(track: Track) -> bool:
        """Whether a curve leaves its level again and again and comes back every time."""
        every = [*track.outliers, *track.jumps]
        inside = sum(e.width for e in every)
        return len(every) > _MANY and inside >= _OFTEN * len(track) and not any(e.open for e in every)

    @staticmethod
    def _typical_outlier(track: Track) -> float:
        return float(np.median([e.peak_height for e in (*track.outliers, *track.jumps)]))

    def _passing(self) -> Finding | None:
        if self.train.jumps and not self._restless(self.train):
            jump = self.train.jumps[0]
            return patterns.transient(
                self.train, jump, "train", self._validation_change(int(self.train.curve.step[jump.start]))
            )
        together = self._single_together()
        if together is not None:
            return together
        if self.val is not None and self.val.jumps and not self._restless(self.val):
            jump = self.val.jumps[0]
            change = self.train.change_near(float(self.val.curve.step[jump.start]))
            return patterns.transient(self.val, jump, "val", change)
        return self._single_huge()

    def _single_together(self) -> Finding | None:
        """A single record that stands out of both curves: a state of the model, not a hard batch."""
        if self.val is None:
            return None
        for e in self.train.outliers:
            step = int(self.train.curve.step[e.start])
            for other in (*self.val.outliers, *self.val.jumps):
                if abs(int(self.val.curve.step[other.start]) - step) <= self.train.interval / 2:
                    return patterns.transient(self.train, e, "train", self.val.change(other))
        return None

    def _single_huge(self) -> Finding | None:
        tracks = [("train", self.train), ("val", self.val)]
        for series, track in tracks:
            if track is None or self._restless(track):
                continue
            for e in track.outliers:
                others = [o.peak_height for o in track.outliers if o is not e]
                if e.width <= 2 and e.peak_height >= max([HUGE, *(2 * height for height in others)]):
                    return patterns.transient(track, e, "train" if series == "train" else "val", None)
        return None

    def _calm(self) -> Finding:
        tracks = [t for t in (self.train, self.val) if t is not None]
        outliers = sum(len(t.outliers) for t in tracks)
        often = any(t.outliers and len(t.outliers) >= _OFTEN * len(t) for t in tracks)
        noise = max(t.noise for t in tracks)
        if len(self.train) < LEAST:
            return patterns.plain("insufficient", fill(INSUFFICIENT, count=len(self.train), least=LEAST))
        limit = NOISY if self.train.scale.is_ratio else 2 * NOISY
        if noise >= limit or often:
            return patterns.noise(noise, outliers)
        final = float(np.median(self.train.values[-min(9, len(self.train)) :]))
        return patterns.plain("healthy", fill(HEALTHY, first=number(self.train.first), final=number(final)))
