"""Jumps and early departures of auxiliary series: gradient norm, update norm, learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .curve import Curve, Scale
from .robust import LARGEST, FloatArray, spread, tame, trailing_median

BEFORE = 64
"""Records before a step that its level before is taken from."""
AFTER = 8
"""Records from a step on that its level after is taken from."""
_LEAD = 4.0


@dataclass(frozen=True)
class Jump:
    """A level before and after a step.

    Attributes:
        step: the first step of the part after.
        before: robust median before; NaN where nothing was recorded.
        after: robust median from the step on.
        peak: largest value of the part after; infinite where one was.
        ratio: ``after / before``; None where it means nothing.
        z: height of the change in units of the spread before; infinite without any spread.
    """

    step: int
    before: float
    after: float
    peak: float
    ratio: float | None
    z: float


def jump_at(series: Curve, step: int, before: int = BEFORE, after: int = AFTER) -> Jump | None:
    """Return how a series changed at a step; None where it has no record on both sides.

    Args:
        series: any quantity.
        step: the first step that counts as after.
        before: records taken before it.
        after: records taken from it on.
    """
    index = int(np.searchsorted(series.step, step))
    past = series.value[max(0, index - before) : index]
    now = series.value[index : index + after]
    past, finite = tame(past[np.isfinite(past)]), tame(now[np.isfinite(now)])
    if not len(past) or not len(now):
        return None
    low = float(np.median(past))
    high = float(np.median(finite)) if len(finite) else math.inf
    broken = len(finite) < len(now)
    peak = math.inf if broken else float(finite.max())
    scale = Scale.of(past)
    noise = _scatter(past, scale)
    rise = scale.between(min(high, LARGEST), low)
    z = rise / noise if noise > 0 else math.copysign(math.inf, rise) if abs(rise) > 1e-9 else 0.0
    return Jump(int(series.step[index]), low, high, peak, high / low if low > 0 else None, z)


def _scatter(past: FloatArray, scale: Scale) -> float:
    """Return the spread of the points round their neighbours, on both sides."""
    if len(past) < 3:
        return 0.0
    deviations = np.abs(scale.height(past, trailing_median(past, 5)))[1:]
    return float(np.median(deviations)) * 1.4826


def lead(series: Curve, onset: int, window: int = BEFORE) -> int | None:
    """Return how many steps before an onset a series first left its level for good.

    The series is followed back from the onset for as long as it stands above its level before by four
    times its spread and by a quarter at least.

    Args:
        series: any quantity.
        onset: step of the loss's onset.
        window: records before the onset that are looked at; the level is taken from the first half.

    Returns:
        Steps; 0 when it left its level at the onset itself, None when it did not leave it.
    """
    stop = int(np.searchsorted(series.step, onset, side="right"))
    start = max(0, stop - window)
    values, steps = series.value[start:stop], series.step[start:stop]
    half = max(1, len(values) // 2)
    calm = tame(values[:half][np.isfinite(values[:half])])
    if len(calm) < 1 or len(values) < 2:
        return None
    scale, base = Scale.of(calm), float(np.median(calm))
    noise = max(spread(scale.height(calm, base)), _scatter(calm, scale))
    heights = scale.height(tame(np.where(np.isfinite(values), values, LARGEST)), base)
    up = heights > max(_LEAD * noise, math.log(1.25))
    if not up[-1]:
        return None
    calm_again = np.flatnonzero(~up)
    first = int(calm_again[-1]) + 1 if len(calm_again) else 0
    return int(onset - steps[first])
