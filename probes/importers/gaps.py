"""Losses that are missing where all around them goes on: NaN that a logger wrote as an empty cell."""

from __future__ import annotations

from collections.abc import Mapping

from ..evidence import Value
from .names import guess

_ENOUGH = 2
"""Rows in which a value came with the loss before its absence is read as not a number."""

_LEARNT = 2000
"""Rows after which only a sample is learnt from."""

_COMPANIONS = ("lr", "grad.norm", "amp.scale")


class Gap:
    """Notices a loss that is missing where everything around it goes on: NaN in an empty cell.

    Attributes:
        name: ``loss`` or ``val.loss``.
        inferred: rows whose loss was read as NaN; ``returned`` counts the times it came back afterwards.
        rows: rows with the loss.
        open: the last row was one without.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._splits = ("val", "test") if name == "val.loss" else ("train",)
        self.inferred = 0
        self.returned = 0
        self.rows = 0
        self.open = False
        self._learnt = 0
        self._with: dict[str, int] = {}
        self._without: set[str] = set()

    def seen(self, values: Mapping[str, Value], rows: int = 1) -> None:
        """Learn from a row that has the loss, or from one of several alike."""
        self.rows += rows
        if rows == 1 and not self.open and self.rows > _LEARNT and self.rows & 63:
            return
        if self.open:
            self.returned += 1
            self.open = False
        self._learnt += 1
        for name in values:
            self._with[name] = self._with.get(name, 0) + 1

    def is_missing(self, values: Mapping[str, Value]) -> bool:
        """Tell whether a row without the loss should have one; a row of counters alone should."""
        if self.rows < _ENOUGH or self.returned > 3:
            self._without.update(values)
            return False
        usual = [n for n, count in self._with.items() if 2 * count >= self._learnt and self._tells(n)]
        here = sum(name in values for name in usual)
        if values and (not here or 2 * here < len(usual)):
            self._without.update(name for name in values if not self.inferred)
            return False
        self.inferred += 1
        self.open = True
        return True

    def _tells(self, name: str) -> bool:
        """Tell whether a value is measured where the loss is: clocks and counters go on without it."""
        if name == self.name or name in self._without:
            return False
        if name in _COMPANIONS:
            return True
        found = guess(name.removeprefix("extra/"))
        return found.split in self._splits or (found.kind in ("loss", "accuracy") and not found.split)
