"""Losses that are not finite, jumps of the training loss that stay, and those that were planned."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from . import patterns
from .changes import jump_at
from .curve import Curve
from .evidence import CERTAIN, STAYS
from .excursions import JUMP, Excursion
from .finding import Finding
from .levels import lasting_level
from .nonfinite import blow_up, find_broken
from .passing import HUGE, restless
from .restart import planned_because, reset_level, still_converging
from .run import Run
from .track import Track

_SMALL_JUMP = math.log(1.35)
"""Least height of a jump that the gradient norm confirms."""
_NORM_JUMP = 2.0
_FEW = 10
_BATCHES = 64
_LOOK_BACK = 3
_PRECURSOR = 0.1
"""Part of the height of the three points after it below which a first point belongs to the noise before."""
_BEYOND = 2.0
_LEAST = 5
"""Batches from which on a run has a level that it can leave."""


def not_finite(run: Run) -> Finding | None:
    """A loss that is not finite, from its jump on where it jumped before."""
    raw = run.train.raw
    broken = find_broken(raw, run.lr, run.grad_norm) if len(raw) else None
    if broken is None:
        return None
    before = Curve(raw.step[: broken.index], raw.value[: broken.index])
    if raw.epoch is not None:
        before = Curve(before.step, before.value, raw.epoch[: broken.index])
    track = Track(before)
    jump = track.jumps[-1] if track.jumps else None
    if jump is not None and (not jump.open or _from_the_start(track, jump) or _came_down(track, jump)):
        jump = None
    count = len(track)
    if jump is None and count:
        base = track.level_before(max(1, count - _LOOK_BACK)) or 0.0
        count -= blow_up(track.values, base) or 0
    step = int(track.curve.step[jump.start]) if jump else broken.step
    return patterns.nonfinite(track, broken, jump, count, run.validation_change(step))


def lasting(run: Run) -> Finding | None:
    """A jump of the training loss that the run ends in."""
    track = run.train if run.train.jumps else _confirmed(run)
    jump = track.jumps[-1] if track.jumps else None
    if jump is not None and (not jump.open or _doubtful(run, track, jump)):
        jump = None
    if jump is None or jump.start < _FEW:
        # Of a level that a few points made little is known; a later change may be the real one.
        level = lasting_level(run.train)
        if level is not None:
            jump, track = level, run.train
    if jump is None or _from_the_start(track, jump):
        return None
    jump = _from_the_rise(track, jump)
    reset = reset_level(track, jump)
    val = run.validation_change(run.step_of(jump))
    why = planned_because(track, jump, run.lr, reset)
    if why and still_converging(track, jump):
        return patterns.restart(track, jump, val, why, reset)
    return patterns.spike(track, jump, "train", val, run.synchrony(jump), reset)


def _from_the_rise(track: Track, jump: Excursion) -> Excursion:
    """Return a jump of single batches without first points that are noise beside all that follows them."""
    start = jump.start
    if _is_beyond_noise(track, jump):
        return jump
    while len(track) >= _BATCHES and start < min(jump.start + 2, jump.end - _LOOK_BACK):
        following = track.values[start + 1 : start + 1 + _LOOK_BACK]
        if track.values[start] - jump.base >= _PRECURSOR * (following.min() - jump.base):
            break
        start += 1
    return replace(jump, start=start)


def _is_beyond_noise(track: Track, jump: Excursion) -> bool:
    """Whether the first point stands far above the level on the scale of all that came shortly before it."""
    before = track.scale.height(track.values[max(0, jump.start - _BATCHES) : jump.start], jump.base)
    first = float(track.scale.height(track.values[jump.start : jump.start + 1], jump.base)[0])
    return len(before) > 0 and first > max(_BEYOND * float(before.max()), JUMP)


def planned(run: Run) -> Finding | None:
    """A jump that passed and that a schedule, a new counter or new weights explain."""
    if restless(run.train):
        return None
    for jump in run.train.jumps:
        reset = reset_level(run.train, jump)
        why = None if jump.open else planned_because(run.train, jump, run.lr, reset)
        if why:
            return patterns.restart(run.train, jump, run.validation_change(run.step_of(jump)), why, reset)
    return None


def _confirmed(run: Run) -> Track:
    """Return the curve with a rise too small by itself as a jump, where the gradient norm jumped too."""
    if run.grad_norm is None:
        return run.train
    # Of an excerpt of a few records the noise is not known: the second witness stands in for it.
    track = Track(run.train.raw, _SMALL_JUMP, 1.0 if len(run.train) < _FEW else 4.0)
    if track.jumps and track.jumps[-1].open and _norm_jumped(run, track.jumps[-1]):
        return track
    return run.train


def _norm_jumped(run: Run, jump: Excursion) -> bool:
    if run.grad_norm is None:
        return False
    change = jump_at(run.grad_norm, run.step_of(jump), after=2)
    return change is not None and change.before > 0 and change.peak / change.before >= _NORM_JUMP


def _came_down(track: Track, jump: Excursion) -> bool:
    """Whether a short excursion had ended before the loss broke: then it is no part of what broke it."""
    short = len(track) >= _BATCHES and jump.width < _FEW
    return short and track.scale.height(track.values[-1:], jump.base)[0] < JUMP


def _from_the_start(track: Track, jump: Excursion) -> bool:
    """Whether there was no good phase before the jump."""
    if track.from_start and len(track) >= _BATCHES and jump.start < _LEAST:
        return True
    return track.from_start and jump.start <= 2 and track.scale.between(track.first, jump.base) < 0.05


def _doubtful(run: Run, track: Track, jump: Excursion) -> bool:
    """Whether a few bad records at the end may be outliers, of which the run had some before or not."""
    if jump.width == 1 and len(track) >= _BATCHES and jump.peak_height < HUGE and not _norm_jumped(run, jump):
        return True
    seen = sum(e.width for e in track.outliers)
    if not seen:
        return False
    rate = min(seen / len(track), 0.6)
    bad = int(np.sum(track.scale.height(track.values[jump.start :], jump.base) > JUMP))
    odds = bad * math.log(STAYS / rate) + (jump.width - bad) * math.log((1 - STAYS) / (1 - rate))
    return odds < CERTAIN
