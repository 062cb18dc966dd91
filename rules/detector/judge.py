"""The order in which the explanations of a curve are tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from . import jumps, patterns, validation
from .finding import Finding
from .gradual import slow_rise
from .passing import passed_by, restless
from .restart import small_bump
from .run import Run
from .texts import HEALTHY, INSUFFICIENT, LAST_RECORD, fill, number, times
from .track import Track

LEAST = 5
"""Finite values from which a curve without a jump can be called healthy."""
NOISY = 0.15
"""Spread of single points from which a healthy curve is called noisy."""
_OFTEN = 0.01

Explanation: TypeAlias = Callable[[Run], "Finding | None"]


def judge(run: Run) -> Finding:
    """Return the first explanation that holds.

    What lasts outranks what passed.
    """
    order: tuple[Explanation, ...] = (
        jumps.not_finite,
        validation.not_finite,
        jumps.lasting,
        validation.joined,
        jumps.planned,
        _low_lasting,
        slow_rise,
        validation.alone,
        passed_by,
        _bump,
        _low_passing,
    )
    for explanation in order:
        finding = explanation(run)
        if finding is not None:
            return finding
    return _calm(run)


def _low_lasting(run: Run) -> Finding | None:
    """A low jump that the run ends in."""
    return jumps.lasting(run.closer) if run.closer is not None else None


def _low_passing(run: Run) -> Finding | None:
    """A low jump that passed."""
    return passed_by(run.closer) if run.closer is not None else None


def _bump(run: Run) -> Finding | None:
    """A small rise that a raised learning rate explains."""
    bump = small_bump(run.train, run.lr)
    if bump is None:
        return None
    return patterns.restart(run.train, bump, run.validation_change(run.step_of(bump)), "lr", None)


def _calm(run: Run) -> Finding:
    """Noise, health, or too little to say."""
    train = run.train
    if len(train) < LEAST:
        return patterns.plain("insufficient", fill(INSUFFICIENT, count=len(train), least=LEAST))
    last = train.jumps[-1] if train.jumps else None
    if last is not None and last.open and last.width == 1:
        ratio = train.scale.ratio(last.peak, last.base)
        return patterns.plain("healthy", fill(LAST_RECORD, value=number(last.peak), times=times(ratio)))
    tracks = [track for track in (train, run.val) if track is not None]
    noise = max(track.noise for track in tracks)
    limit = NOISY if train.scale.is_ratio else 2 * NOISY
    if noise >= limit or any(_often(track) for track in tracks):
        return patterns.noise(noise, sum(len(track.outliers) for track in tracks))
    final = float(np.median(train.values[-9:]))
    return patterns.plain("healthy", fill(HEALTHY, first=number(train.first), final=number(final)))


def _often(track: Track) -> bool:
    return restless(track) or bool(track.outliers and len(track.outliers) >= _OFTEN * len(track))
