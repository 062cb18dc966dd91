"""Axes: the range that a curve needs and the round numbers to label it with."""

from __future__ import annotations

import math

import numpy as np

from ...probes.evidence.reader import FloatArray
from ..numbers import number


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most ``most`` round numbers (1, 2 or 5 times a power of ten) from ``low`` to ``high``."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or most < 1:
        return []
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1, 2, 5) if factor * power >= rough), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Return labels for a logarithmic axis whose range is given as decimal logarithms."""
    whole = list(range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1))
    if len(whole) >= 2:
        stride = math.ceil(len(whole) / most)
        return [float(exponent) for exponent in whole[::stride]]
    values = ticks(10.0**low, 10.0**high, most)
    return [math.log10(value) for value in values if value > 0]


def span(values: FloatArray) -> tuple[float, float]:
    """Return a range that shows all finite values with a little air; (0, 1) where there are none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    air = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    return low - air, high + air


def label(value: float) -> str:
    """Return a tick's label, short enough for the gutter: 0.25, 12k, 3.4M, 1e-5."""
    size = abs(value)
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if factor <= size < 1000 * factor and size >= 10_000:
            return f"{value / factor:.4g}{unit}"
    return number(0.0 if size < 1e-12 else value, 3)
