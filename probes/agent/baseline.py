"""Tells, between backward and update, whether a loss stands out: the moment evidence matters."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable

_WARM = 8
_RATE = 0.05
_DEVIATIONS = 6.0
_MARGIN = 0.25
_RECENT = 16


class Baseline:
    """A running mean and mean deviation that a single outlier cannot drag along, and the latest losses.

    After a large excursion the deviation stays large for long; the range of the latest losses does not.
    """

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._count = 0
        self._mean = 0.0
        self._deviation = 0.0

    def stands_out(self, loss: float) -> bool:
        """Say whether ``loss`` is non-finite or clearly above what came before, and take it in."""
        if not math.isfinite(loss):
            return True
        high = loss - self._mean > _DEVIATIONS * self._deviation + _MARGIN * abs(self._mean)
        out = self._count >= _WARM and (high or self._above_latest(loss))
        self.take_in((loss,))
        return out

    @property
    def bar(self) -> float:
        """The loss from which on one may stand out; minus infinity before enough has been seen."""
        if self._count < _WARM:
            return -math.inf
        bar = self._mean + _DEVIATIONS * self._deviation + _MARGIN * abs(self._mean)
        if len(self._recent) == _RECENT:
            bar = min(bar, 2 * max(self._recent) - min(self._recent))
        return bar

    def take_in(self, losses: Iterable[float]) -> None:
        """Take in losses that did not stand out."""
        for loss in losses:
            self._take(loss)
            self._recent.append(loss)

    def _above_latest(self, loss: float) -> bool:
        recent = self._recent
        if len(recent) < _RECENT or loss <= recent[-1]:
            return False
        top = max(recent)
        return loss > top and loss - top > top - min(recent)

    def _take(self, loss: float) -> None:
        self._count += 1
        rate = max(_RATE, 1 / self._count)
        offset = loss - self._mean
        if self._count > _WARM:
            bound = 3 * self._deviation + 1e-12
            offset = max(-bound, min(bound, offset))
        self._mean += rate * offset
        self._deviation += rate * (abs(offset) - self._deviation)
