"""Jumps of auxiliary series, such as the gradient norm."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .curve import Curve, Scale
from .robust import LARGEST, FloatArray, tame, trailing_median

BEFORE = 64
"""Records before a step that its level before is taken from."""
AFTER = 8
"""Records from a step on that its level after is taken from."""


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
