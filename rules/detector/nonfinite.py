"""Where the loss stopped being a number, in all the disguises that logs have for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .curve import Curve
from .robust import FloatArray

BLOWN_UP = 1000.0
"""Ratio to the level before that only a blow-up on its way to infinity reaches."""
_BATCHES = 64
_LOOK_BACK = 3


@dataclass(frozen=True)
class Broken:
    """The first record without a number.

    Attributes:
        index: its position in the raw curve; the length of the curve when the record is missing.
        step: its step.
        epoch: its epoch, None where unknown.
        disguise: how it showed: ``value``, ``zero`` (0.0 beside a non-finite gradient norm) or
            ``missing`` (the other columns went on without a loss).
        ended: whether the loss was a number again at the end.
    """

    index: int
    step: int
    epoch: float | None
    disguise: str
    ended: bool


def find_broken(train: Curve, lr: Curve | None, grad_norm: Curve | None) -> Broken | None:
    """Return where the training loss stopped being a finite number, or None."""
    bad = ~np.isfinite(train.value)
    zero = _zeros(train, grad_norm)
    both = bad | zero
    if both.any():
        index = int(np.argmax(both))
        disguise = "value" if bad[index] else "zero"
        return Broken(index, int(train.step[index]), train.epoch_at(index), disguise, not both[-1])
    for other in (lr, grad_norm):
        step = _went_on(train, other)
        if step is not None:
            return Broken(len(train), step, None, "missing", ended=False)
    return None


def _zeros(train: Curve, grad_norm: Curve | None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Mark losses of exactly 0 at steps whose gradient norm is not finite."""
    zeros: np.ndarray[tuple[int], np.dtype[np.bool_]] = train.value == 0
    if grad_norm is None or not zeros.any():
        return np.zeros(len(train), dtype=bool)
    return zeros & np.isin(train.step, grad_norm.step[~np.isfinite(grad_norm.value)])


def _went_on(train: Curve, other: Curve | None) -> int | None:
    """Return the first step that another column has and the loss lacks, where so far both had the same."""
    if other is None or len(train) < 2 or len(other) <= len(train):
        return None
    last = train.step[-1]
    shared = other.step[other.step <= last]
    later = other.step[other.step > last]
    if not len(later) or not np.array_equal(shared, train.step):
        return None
    return int(later[0])


def blow_up(values: FloatArray, base: float) -> int | None:
    """Return how many of the last values before the break were already a blow-up; None for none.

    Among single batches a huge value is none when the loss came down again after it.
    """
    tail = values[-_LOOK_BACK:]
    if base <= 0 or not len(tail) or (len(values) >= _BATCHES and tail[-1] <= BLOWN_UP * base):
        return None
    huge = np.flatnonzero(tail > BLOWN_UP * base)
    return len(tail) - int(huge[0]) if len(huge) else None
