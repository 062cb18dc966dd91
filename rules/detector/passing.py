"""Jumps that came back by themselves, and the habits of a restless curve."""

from __future__ import annotations

import math

import numpy as np

from . import patterns
from .finding import Finding
from .levels import passing_level
from .patterns import Series
from .run import Run
from .track import Track

HUGE = math.log(10)
"""A single record this high is more than a hard batch."""
_MANY = 3
_OFTEN = 0.01


def restless(track: Track) -> bool:
    """Whether a curve leaves its level again and again and comes back every time."""
    every = [*track.outliers, *track.jumps]
    inside = sum(e.width for e in every)
    return len(every) > _MANY and inside >= _OFTEN * len(track) and not any(e.open for e in every)


def typical_height(track: Track) -> float:
    """Return the median height of the excursions of a restless curve."""
    return float(np.median([e.peak_height for e in (*track.outliers, *track.jumps)]))


def passed_by(run: Run) -> Finding | None:
    """A transient spike, of training if that jumped, else of validation."""
    return (
        _jump(run, "train")
        or _single_in_both(run)
        or _jump(run, "val")
        or _single_huge(run.train, "train")
        or _single_huge(run.val, "val")
        or _level(run)
    )


def _level(run: Run) -> Finding | None:
    """A slow return from a level that no single record shows."""
    level = passing_level(run.train)
    if level is None:
        return None
    return patterns.transient(run.train, level, "train", run.validation_change(run.step_of(level)))


def _jump(run: Run, series: Series) -> Finding | None:
    track = run.train if series == "train" else run.val
    if track is None or restless(track):
        return None
    closed = [e for e in track.jumps if not e.open]
    if not closed:
        return None
    jump = max(closed, key=lambda e: e.peak_height)
    if series == "train":
        return patterns.transient(track, jump, series, run.validation_change(run.step_of(jump)))
    return patterns.transient(track, jump, series, run.train.change_near(float(track.curve.step[jump.start])))


def _single_in_both(run: Run) -> Finding | None:
    """A single record that stands out of both curves: a state of the model, not a hard batch."""
    if run.val is None:
        return None
    for e in run.train.outliers:
        for other in (*run.val.outliers, *run.val.jumps):
            if abs(int(run.val.curve.step[other.start]) - run.step_of(e)) <= run.train.interval / 2:
                return patterns.transient(run.train, e, "train", run.val.change(other))
    return None


def _single_huge(track: Track | None, series: Series) -> Finding | None:
    """A single record far above everything else that the curve has shown."""
    if track is None or restless(track):
        return None
    for e in track.outliers:
        others = [2 * o.peak_height for o in track.outliers if o is not e]
        if e.width <= 2 and e.peak_height >= max([HUGE, *others]):
            return patterns.transient(track, e, series, None)
    return None
