"""The evidence of a cause as a table of facts; the row under the cursor is the one that is plotted."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import DataTable

from ...rules.diagnosis import Because
from .. import wording
from ..language import tr
from .tables import fill

WIDE = 88
"""Columns from which a fact's meaning stands beside it."""


class FactTable(DataTable[Content]):
    """Fact, value, condition and what it means."""

    DEFAULT_CSS = """
    FactTable { height: auto; max-height: 9; overflow-x: hidden; }
    """

    def __init__(self) -> None:
        super().__init__(cursor_type="row", cursor_foreground_priority="renderable")
        self.facts: list[Because] = []

    def show(self, facts: list[Because], width: int) -> None:
        """List the facts that spoke for a cause."""
        self.facts = facts
        rows = [_cells(fact) for fact in facts]
        taken = sum(max((row[index].cell_length for row in rows), default=0) + 2 for index in range(3))
        room = width - max(taken, 30) - 3
        names = ["Fact", "Value", "Condition", *(["Meaning"] if width >= WIDE else [])]
        for row in rows:
            row[3] = row[3].truncate(max(room, 1), ellipsis=True)
        fill(self, names, {str(index): row[: len(names)] for index, row in enumerate(rows)})

    @property
    def chosen(self) -> Because | None:
        """The fact under the cursor."""
        return self.facts[self.cursor_row] if 0 <= self.cursor_row < len(self.facts) else None


def _cells(fact: Because) -> list[Content]:
    return [
        Content.styled(fact.fact, "$primary"),
        Content.styled(wording.measured(fact), "bold"),
        Content.styled(wording.demanded(fact), "$foreground 70%"),
        Content.styled(meaning(fact), "$foreground 60%"),
    ]


def meaning(fact: Because) -> str:
    """Return what a fact means and the steps that it was computed on."""
    steps = wording.window(fact)
    return f"{fact.meaning} ({tr('steps')} {steps})".strip() if steps else fact.meaning
