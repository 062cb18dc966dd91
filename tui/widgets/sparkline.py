"""A curve in one row of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the values as ``width`` blocks, each showing the highest of its share; ``✕`` where non-finite.

    A logarithm is taken where the values span more than two decades, or the end of a run would be flat.
    """
    if not values or width < 1:
        return ""
    shares = [_share(values, index, width) for index in range(min(width, len(values)))]
    peaks = [max(share) if all(map(math.isfinite, share)) else math.nan for share in shares]
    finite = [peak for peak in peaks if math.isfinite(peak)]
    if not finite:
        return "✕" * len(peaks)
    low, high = min(finite), max(finite)
    if low > 0 and high / low > 100:
        peaks = [math.log(peak) if peak > 0 else peak for peak in peaks]
        low, high = math.log(low), math.log(high)
    return "".join(_block(peak, low, high) for peak in peaks)


def _share(values: Sequence[float], index: int, width: int) -> Sequence[float]:
    count = min(width, len(values))
    return values[index * len(values) // count : (index + 1) * len(values) // count]


def _block(value: float, low: float, high: float) -> str:
    if not math.isfinite(value):
        return "✕"
    if high <= low:
        return BLOCKS[0]
    return BLOCKS[min(int((value - low) / (high - low) * len(BLOCKS)), len(BLOCKS) - 1)]
