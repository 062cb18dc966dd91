"""Order statistics of the last values of a stream."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque


class SortedWindow:
    """The last values of a stream, kept in ascending order.

    Args:
        size: how many are kept.
    """

    __slots__ = ("_order", "_size", "ordered")

    def __init__(self, size: int) -> None:
        self._size = size
        self._order: deque[float] = deque()
        self.ordered: list[float] = []

    def __len__(self) -> int:
        return len(self.ordered)

    def push(self, value: float) -> None:
        """Take in one value and drop the oldest when full."""
        if len(self._order) == self._size:
            del self.ordered[bisect_left(self.ordered, self._order.popleft())]
        self._order.append(value)
        insort(self.ordered, value)

    @property
    def median(self) -> float:
        """The middle value; of an even count the mean of the two."""
        values = self.ordered
        half = len(values) // 2
        return values[half] if len(values) % 2 else 0.5 * values[half - 1] + 0.5 * values[half]

    def values(self) -> list[float]:
        """Return the values in the order they came."""
        return list(self._order)
