"""The loss rules of other projects, written from their descriptions, to stand beside ours.

Each takes a whole curve and returns the steps at which it alarms.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def llm_foundry(loss: Array) -> list[int]:
    """Loss at twice the mean of a window five times in a row, or half the window over a cap."""
    window = max(100, len(loss) // 20)
    if len(loss) <= window:
        return []
    cap = min(float(loss[:window].max()), 10.0)
    alarms, row = [], 0
    for i in range(window, len(loss)):
        past = loss[i - window : i]
        row = row + 1 if loss[i] >= 2 * past.mean() else 0
        if row >= 5 or np.sum(past > cap) >= window / 2:
            alarms.append(i)
    return alarms


def olmo_core(loss: Array) -> list[int]:
    """More than six standard deviations above the mean of the last 128, after 64."""
    alarms = []
    for i in range(64, len(loss)):
        past = loss[max(0, i - 128) : i]
        if loss[i] - past.mean() > 6 * past.std(ddof=1):
            alarms.append(i)
    return alarms


def lightning(loss: Array) -> list[int]:
    """Rising, and further from the mean of the last ten than twice that mean."""
    return [
        i
        for i in range(10, len(loss))
        if loss[i] > loss[i - 1] and abs(loss[i] - loss[i - 10 : i].mean()) >= 2 * loss[i - 10 : i].mean()
    ]


def megatron(loss: Array) -> list[int]:
    """Ten times the maximum of the first hundred."""
    return [] if len(loss) <= 100 else (100 + np.flatnonzero(loss[100:] >= 10 * loss[:100].max())).tolist()


def cusum(loss: Array, upward: bool = True) -> list[int]:
    """Cumulative sum of robust scores against the last 200, after 30; restarts at an alarm."""
    alarms, total = [], 0.0
    for i in range(30, len(loss)):
        past = loss[max(0, i - 200) : i]
        middle = np.median(past)
        score = (loss[i] - middle) / (1.4826 * np.median(np.abs(past - middle)) + 1e-12)
        total = max(0.0, total + (score if upward else abs(score)) - 1)
        if total >= 6:
            alarms.append(i)
            total = 0.0
    return alarms


def twice_the_lowest(loss: Array) -> list[int]:
    """Over twice the lowest loss so far."""
    lowest = np.minimum.accumulate(loss)[:-1]
    return (1 + np.flatnonzero(loss[1:] > 2 * lowest)).tolist()


RIVALS: dict[str, Callable[[Array], list[int]]] = {
    "llm-foundry": llm_foundry,
    "OLMo-core, 6 sigma up": olmo_core,
    "Lightning": lightning,
    "Megatron, 10x": megatron,
    "CUSUM, both sides": lambda loss: cusum(loss, upward=False),
    "CUSUM, upward": cusum,
    "twice the lowest": twice_the_lowest,
}


def zclip(norm: Array, warm: int = 25) -> list[int]:
    """More than 2.5 standard deviations above the moving average (0.97), which takes in the clipped norm."""
    alarms: list[int] = []
    if len(norm) <= warm:
        return alarms
    mean, variance = float(norm[:warm].mean()), float(norm[:warm].var())
    for i in range(warm, len(norm)):
        value, spread = float(norm[i]), variance**0.5 + 1e-6
        score = (value - mean) / spread
        if score > 2.5:
            alarms.append(i)
            value = mean + 2.5 * spread / (score / 2.5)
        mean = 0.97 * mean + 0.03 * value
        variance = 0.97 * variance + 0.03 * (value - mean) ** 2
    return alarms
