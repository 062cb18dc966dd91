"""Medians over sliding windows and robust spreads, for curves of 8 points as well as of a million."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FloatArray: TypeAlias = "NDArray[np.float64]"

LARGEST = 1e150
"""Losses beyond it, which no arithmetic needs to tell apart, count as this."""
_CHUNK = 1 << 17
_Q75 = 0.6745
_Q90 = 1.2816


def tame(values: FloatArray) -> FloatArray:
    """Return finite values within bounds that sums and ratios of them cannot leave."""
    return np.clip(values, -LARGEST, LARGEST)


def trailing_median(values: FloatArray, width: int) -> FloatArray:
    """Return for every point the median of the ``width`` points before it.

    The window grows over the first points; the first point, which has nothing before it, gets its own
    value.

    Args:
        values: float64 [n], finite.
        width: odd window width.
    """
    count = len(values)
    result = np.empty(count)
    if not count:
        return result
    result[0] = values[0]
    head = min(width, count)
    for i in range(1, head):
        result[i] = np.median(values[:i])
    if count > width:
        result[width:] = _windows_median(values[:-1], width)
    return result


def forward_median(values: FloatArray, width: int) -> FloatArray:
    """Return for every point the median of itself and the ``width - 1`` points after it, fewer at the end."""
    count = len(values)
    result = np.empty(count)
    for i in range(max(0, count - width + 1), count):
        result[i] = np.median(values[i:])
    if count >= width:
        result[: count - width + 1] = _windows_median(values, width)
    return result


def _windows_median(values: FloatArray, width: int) -> FloatArray:
    """Return the medians of all full windows of an odd width; chunked to bound the memory."""
    windows = np.lib.stride_tricks.sliding_window_view(values, width)
    half = width // 2
    parts = [
        np.partition(windows[start : start + _CHUNK], half, axis=1)[:, half]
        for start in range(0, len(windows), _CHUNK)
    ]
    return np.concatenate(parts)


def spread(values: FloatArray) -> float:
    """Return a standard deviation of the upper side, which a tenth of outliers leaves alone; 0 when empty.

    The upper quartile or the upper decile over the median, whichever is larger once scaled to the normal
    distribution. Only the upper side matters for a jump, and the lower one is where a falling loss puts
    its early points.
    """
    if not len(values):
        return 0.0
    middle, high, top = np.quantile(values, [0.5, 0.75, 0.9])
    return float(max((high - middle) / _Q75, (top - middle) / _Q90))


def sorted_spread(ordered: list[float]) -> float:
    """Return `spread` of an ascending list in constant time, by the nearest ranks."""
    last = len(ordered) - 1
    if last < 1:
        return 0.0
    middle = ordered[last // 2]
    high, top = ordered[(3 * last + 2) // 4], ordered[(9 * last + 5) // 10]
    return max((high - middle) / _Q75, (top - middle) / _Q90)


def excess(values: FloatArray) -> float:
    """Return the spread above zero, by the same two quantiles; 0 when empty or mostly below zero."""
    if not len(values):
        return 0.0
    high, top = np.quantile(values, [0.75, 0.9])
    return float(max(high / _Q75, top / _Q90, 0.0))


def sorted_excess(ordered: list[float]) -> float:
    """Return `excess` of an ascending list in constant time, by the nearest ranks."""
    last = len(ordered) - 1
    if last < 1:
        return 0.0
    return max(ordered[(3 * last + 2) // 4] / _Q75, ordered[(9 * last + 5) // 10] / _Q90, 0.0)


def level(values: FloatArray) -> float:
    """Return the median of the finite values; NaN when there are none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def block_medians(values: FloatArray, most: int) -> FloatArray:
    """Return at most ``most`` medians of equal consecutive blocks: the curve without its noise."""
    count = len(values)
    if count <= most:
        return values.copy()
    edges = np.linspace(0, count, most + 1).astype(np.int64)
    return np.array([np.median(values[a:b]) for a, b in pairwise(edges.tolist())])
