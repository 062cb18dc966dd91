"""A loss that rises at the start of every epoch does so because of the data, not of a fault."""

from __future__ import annotations

import math

from .windows import SortedWindow

_FIRST = 5
"""Points that make the level at which an epoch opened, and within which a rise counts as its opening."""


class EpochStart:
    """Remembers the level at which the epoch before this one opened.

    Unshuffled data makes a saw of the loss: it falls within an epoch and is up again at the next. The
    rise is compared with the last one, not with the level that the epoch ended at.
    """

    def __init__(self) -> None:
        self._epoch: int | None = None
        self._points = 0
        self._opening = SortedWindow(_FIRST)
        self._last = -math.inf

    def push(self, epoch: float | None, loss: float) -> float:
        """Take in a point; return the level that its epoch may open at, negative infinity otherwise."""
        if epoch is None or not math.isfinite(epoch):
            return -math.inf
        number = math.floor(epoch)
        if number != self._epoch:
            self._turn(number)
        self._points += 1
        if self._points <= _FIRST:
            self._opening.push(loss)
            return self._last
        return -math.inf

    def _turn(self, number: int) -> None:
        # Epochs of a few points have no opening: they are the points.
        self._last = self._opening.median if self._points > 2 * _FIRST else -math.inf
        self._epoch, self._points, self._opening = number, 0, SortedWindow(_FIRST)
