"""Curves that rise slowly: overfitting and slow divergence."""

from __future__ import annotations

import math

import numpy as np

from . import patterns
from .excursions import RETURNED
from .finding import OVERFITTING, SLOW_DIVERGENCE, Finding
from .passing import restless, typical_height
from .rise import Rise
from .robust import FloatArray
from .run import Run
from .track import Track

RISEN = math.log(1.12)
"""Least rise of the validation loss above its best that counts as overfitting."""
DRIFTED = math.log(1.5)
"""Least rise that counts as divergence where the training loss does not fall."""
_STEADY = 0.7
_LATEST = 5
"""A rise must take at least this part of the run."""
_SHARE = 0.35
_GAP = math.log(3)
_MOSTLY = 0.6
_FEWEST = 5
_SELDOM = 0.15


def slow_rise(run: Run) -> Finding | None:
    """A slow rise that the run ends in, or a loss that never fell."""
    late = _never_learnt(run.train)
    if late is not None:
        return patterns.never_learnt(run.train, late)
    rise = rise_of(run.train, run.val)
    if rise is None:
        return None
    track = run.train if rise.series == "train" or run.val is None else run.val
    jump = run.val_jump if track is run.val else track.jumps[-1] if track.jumps else None
    sudden = jump is not None and jump.open and jump.height > _MOSTLY * rise.height
    # Where the curve leaves its level by more again and again, the rise is one more of its moods.
    usual = restless(track) and rise.height < typical_height(track)
    return None if sudden or usual else patterns.gradual(rise, track)


def _never_learnt(track: Track) -> float | None:
    """Return the late level of a loss that stands far above its first value and hardly came near it."""
    if not track.from_start or len(track) < _FEWEST or not track.scale.is_ratio:
        return None
    late = float(np.median(track.values[len(track) // 2 :]))
    early = float(np.median(track.values[1 : max(6, len(track) // 10)]))
    falls = track.scale.between(early, late) > RETURNED
    below = float(np.mean(track.values[1:] <= track.first))
    if falls or below >= _SELDOM or track.scale.between(late, track.first) <= DRIFTED:
        return None
    return late


def rise_of(train: Track, val: Track | None) -> Rise | None:
    """Return the slow rise that a run ends in, or None."""
    own = _rise(train, DRIFTED)
    if own:
        return Rise(SLOW_DIVERGENCE, *own, "train")
    if val is None:
        return None
    found = _rise(val, RISEN)
    if found is None:
        return None
    index, best, _, height = found
    if _falls(train, val, index, best, height):
        return Rise(OVERFITTING, *found, "val")
    return Rise(SLOW_DIVERGENCE, *found, "val") if height >= DRIFTED else None


def _rise(track: Track, least: float) -> tuple[int, float, float, float] | None:
    """Return index and level of the best, level at the end and height of the rise between them."""
    smooth = _median_of_three(track.smooth)
    count = len(smooth)
    if count < 4:
        return None
    at = int(np.argmin(smooth))
    tail = max(2, count // 10)
    if count - 1 - at < max(tail, count // _LATEST):
        return None
    best, final = float(smooth[at]), float(np.median(smooth[-tail:]))
    height = track.scale.between(final, best)
    if height < least or not _significant(track, at) or _steadiness(smooth[at:]) < _STEADY:
        return None
    return int(track.positions[at]), best, final, height


def _significant(track: Track, at: int) -> bool:
    """Whether the last third after the best stands above its surroundings by four standard errors.

    The noise comes from second differences, which a slope leaves alone.
    """
    heights = track.scale.height(track.smooth, float(np.median(track.smooth)))
    room = 1 if len(heights) < 16 else 3
    near = heights[max(0, at - room) : at + room + 1]
    late = heights[-max(2, (len(heights) - at) // 3) :]
    noise = float(np.median(np.abs(np.diff(heights, 2)))) * 1.4826 / math.sqrt(6)
    error = 1.25 * noise * math.sqrt(1 / len(near) + 1 / len(late))
    return float(np.median(late) - np.median(near)) > 4 * error


def _median_of_three(values: FloatArray) -> FloatArray:
    if len(values) < 3:
        return values
    inner = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    return np.concatenate([values[:1], inner, values[-1:]])


def _steadiness(values: FloatArray) -> float:
    """Return the share of pairs that are in rising order."""
    first, second = np.triu_indices(len(values), 1)
    return float(np.mean(values[second] >= values[first])) if len(first) else 0.0


def _falls(train: Track, val: Track, index: int, best: float, rise: float) -> bool:
    """Whether the training loss went on falling, or had left the validation loss far above it."""
    step = val.curve.step[index]
    share = (index + 1) / len(val)
    span = train.curve.step[-1] - train.curve.step[0]
    # Axes of different units (epochs here, iterations there) are matched by their share of the run.
    fits = span > 0 and 0.5 < (val.curve.step[-1] - val.curve.step[0]) / span < 2
    at = int(np.searchsorted(train.curve.step, step)) if fits else int(share * len(train))
    room = max(3, len(train) // 20)
    then = train.values[max(0, at - room) : at + room]
    now = float(np.median(train.values[-room:]))
    fall = train.scale.between(float(np.median(then)), now) if len(then) else 0.0
    both_ratio = train.scale.is_ratio and val.scale.is_ratio
    return fall > _SHARE * rise or (both_ratio and val.scale.between(best, now) > _GAP)
