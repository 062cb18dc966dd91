"""Was a jump planned: a warm restart of the learning rate, new weights, a counter that began anew?"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from .curve import Curve
from .excursions import Excursion
from .robust import FloatArray
from .track import Track

_ROSE = 2.0
_SURGE = 3.0
_SAME = math.log(1.3)
_NEAR = 0.02
_STILL = 0.005
_CLASSES = (
    *range(2, 21),
    37,
    50,
    64,
    80,
    81,
    100,
    101,
    128,
    200,
    256,
    365,
    400,
    500,
    512,
    1000,
    1001,
    1024,
    50257,
)
"""Numbers of classes in use; among all numbers every loss would be near the logarithm of one."""
_LONG_SHARE = 0.1
_LONG = 10
_WINDOW = 30
_VISIBLE = math.log(1.02)
_FEWEST = 5
"""Records that learning everything once more takes at least."""


def learning_rate_rose(lr: Curve | None, steps: FloatArray, index: int) -> bool | None:
    """Return whether the rate rose at a record to a value it had before; None where it is not known.

    A rate far above all earlier ones is no restart of a schedule but a surge.

    Args:
        lr: learning rate.
        steps: steps of the loss curve.
        index: the record where the loss jumped.
    """
    if lr is None or len(lr.finite) < 3:
        return None
    known = lr.finite
    low, high = _around(steps, index)
    near = (known.step >= low) & (known.step <= high)
    if not near.any():
        return None
    before = known.value[(known.step < high) & (known.step >= low)]
    past = known.value[known.step < low]
    after = known.value[known.step >= steps[index]][:20]
    if not len(before) or not len(past) or not len(after):
        return False
    top = float(after.max())
    return top > _ROSE * max(float(before.min()), 1e-300) and top <= _SURGE * float(past.max())


def _around(steps: FloatArray, index: int) -> tuple[float, float]:
    """Return the steps a few records before and after one."""
    return float(steps[max(0, index - 4)]), float(steps[min(len(steps) - 1, index + 2)])


def reset_level(track: Track, e: Excursion) -> Literal["start", "chance"] | None:
    """Return whether the loss jumped back to its level at step 0, or to guessing among N classes."""
    if not track.scale.is_ratio or e.height < math.log(1.5) or e.width < _FEWEST:
        return None
    levels = (float(track.values[e.start]), e.after)
    if (
        track.from_start
        and e.start > 2
        and any(abs(track.scale.between(x, track.first)) < _SAME / 2 for x in levels)
    ):
        return "start"
    return "chance" if _is_chance(track.values[e.start : e.end]) else None


def _is_chance(values: FloatArray) -> bool:
    """Whether a loss lies still at the logarithm of a usual number of classes."""
    still = values[1:][-_WINDOW:]
    if len(still) < 3 or float(np.ptp(still)) > _NEAR * float(np.median(still)):
        return False
    level = float(np.median(still))
    return any(abs(level - math.log(classes)) < _STILL for classes in _CLASSES)


def counter_went_back(track: Track, e: Excursion) -> bool:
    """Whether the step counter jumped back at the onset: another run begins there."""
    nearby = track.curve.step[max(0, e.start - 1) : e.start + 2]
    return bool((np.diff(nearby) < 0).any())


def planned_because(track: Track, e: Excursion, lr: Curve | None, reset: str | None) -> str | None:
    """Return what explains a jump as planned: ``counter``, ``lr``, ``reset`` or ``shape``, or None."""
    if counter_went_back(track, e):
        return "counter"
    rose = learning_rate_rose(lr, track.curve.step.astype(np.float64), e.start)
    if rose:
        return "lr"
    # A rate that is known and kept its course speaks against any plan.
    if rose is not None:
        return None
    if reset == "start":
        return "reset"
    return "shape" if looks_scheduled(track, e) else None


def looks_scheduled(track: Track, e: Excursion) -> bool:
    """Whether a jump without a known learning rate has the shape of a warm restart.

    At once up, never above the level that the run began with, then a long steady descent to where it was.
    """
    length = e.end - e.start
    early = e.peak_at - e.start <= max(2, length // 10)
    calm = e.peak <= track.first and e.peak_height < 2 * e.height
    return not e.open and length >= max(_LONG, _LONG_SHARE * len(track)) and early and calm


def still_converging(track: Track, e: Excursion) -> bool:
    """Whether an open excursion has covered half of the way back and still falls."""
    inside = track.values[e.start :]
    third = len(inside) // 3
    if third < 3:
        return False
    middle, late = float(np.median(inside[third : 2 * third])), float(np.median(inside[-third:]))
    left = track.scale.between(float(np.median(inside[-3:])), e.base)
    return left < e.peak_height / 2 and track.scale.between(middle, late) > 0.05


def small_bump(track: Track, lr: Curve | None) -> Excursion | None:
    """Return the rise, too small for a jump, that a raised learning rate left in the loss.

    The medians before and after the raise are compared by their standard errors.
    """
    if lr is None or len(lr.finite) < 3 or len(track) < 2 * _LONG:
        return None
    known = lr.finite
    raised = np.flatnonzero(known.value[1:] > _ROSE * np.maximum(known.value[:-1], 1e-300)) + 1
    for at in raised.tolist():
        index = int(np.searchsorted(track.curve.step, known.step[at]))
        if learning_rate_rose(lr, track.curve.step.astype(np.float64), min(index, len(track) - 1)):
            bump = _bump(track, index)
            if bump is not None:
                return bump
    return None


def _bump(track: Track, index: int) -> Excursion | None:
    before, after = track.values[max(0, index - _WINDOW) : index], track.values[index : index + _WINDOW]
    if min(len(before), len(after)) < _LONG // 2:
        return None
    base, level = float(np.median(before)), float(np.median(after))
    height = track.scale.between(level, base)
    deviations = np.concatenate([track.scale.height(before, base), track.scale.height(after, level)])
    noise = float(np.median(np.abs(deviations))) * 1.4826
    error = 1.25 * noise * math.sqrt(1 / len(before) + 1 / len(after))
    if height < max(_VISIBLE, 4 * error):
        return None
    peak_at = index + int(np.argmax(after))
    peak = float(track.values[peak_at])
    return Excursion(
        index, index + len(after), base, level, peak, peak_at,
        height, track.scale.between(peak, base), noise, open=False, left=0.0,
    )  # fmt: skip
