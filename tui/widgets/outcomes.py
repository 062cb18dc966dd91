"""Fixes with what came of them: one key each for worked, failed, unknown and not tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from ...rules.diagnosis import Fix
from ..language import tr

Outcome: TypeAlias = Literal["worked", "failed", "unknown", ""]
"""Empty means not tried."""

_LOOKS: dict[Outcome, tuple[str, str, str]] = {
    "worked": ("✓", "worked", "$text-success"),
    "failed": ("✗", "failed", "$text-error"),
    "unknown": ("?", "tried, outcome open", "$text-warning"),
    "": ("·", "not tried", "$foreground 50%"),
}


class FixOutcomes(OptionList):
    """The fixes of an incident; the outcome is set by a key or a click."""

    DEFAULT_CSS = """
    FixOutcomes {
        height: auto;
        max-height: 9;
        border: none;
        padding: 0;
        background: $background;
        background-tint: 0%;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        & > .option-list--option-highlighted { background: $surface; color: $foreground; text-style: none; }
        &:focus { background-tint: 0%; }
        &:focus > .option-list--option-highlighted { background: $panel; text-style: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "mark('worked')", "Worked", id="outcome.worked", tooltip="This fix worked"),
        Binding("f", "mark('failed')", "Failed", id="outcome.failed", tooltip="This fix did not help"),
        Binding(
            "u",
            "mark('unknown')",
            "Unknown",
            id="outcome.unknown",
            tooltip="Tried, the outcome is not known yet",
        ),
        Binding("n", "mark('')", "Not tried", id="outcome.none", tooltip="This fix was not tried"),
        Binding(
            "space", "cycle", "Next outcome", show=False, id="outcome.cycle", tooltip="Change the outcome"
        ),
    ]

    @dataclass
    class Changed(Message):
        """An outcome was set."""

        outcomes: FixOutcomes

        @property
        def control(self) -> FixOutcomes:
            """The list."""
            return self.outcomes

    def __init__(self, fixes: list[Fix], tried: list[str]) -> None:
        super().__init__(id="outcomes", compact=True)
        self.fixes: list[Fix] = []
        self.outcomes: dict[str, Outcome] = {}
        self._tried = tried
        self.offer(fixes)

    def offer(self, fixes: list[Fix]) -> None:
        """List other fixes; outcomes already given stay."""
        self.fixes = list({fix.id: fix for fix in fixes}.values())
        for fix in self.fixes:
            self.outcomes.setdefault(fix.id, "unknown" if fix.id in self._tried else "")
        self._fill()
        first = next((index for index, fix in enumerate(self.fixes) if self.outcomes[fix.id]), 0)
        self.highlighted = first if self.fixes else None

    def _fill(self) -> None:
        place = self.highlighted
        self.clear_options()
        self.add_options(Option(self._line(fix), id=fix.id) for fix in self.fixes)
        self.highlighted = place

    def _line(self, fix: Fix) -> Content:
        mark, word, style = _LOOKS[self.outcomes[fix.id]]
        return Content.assemble((f"{mark} {tr(word)}".ljust(22), style), fix.text or fix.id)

    def action_mark(self, outcome: Outcome) -> None:
        """Set the outcome of the fix under the cursor."""
        option = self.highlighted_option
        if option and option.id:
            self.outcomes[option.id] = outcome
            self._fill()
            self.post_message(self.Changed(self))

    def action_cycle(self) -> None:
        """Set the next outcome."""
        option = self.highlighted_option
        if option and option.id:
            order: list[Outcome] = ["worked", "failed", "unknown", ""]
            self.action_mark(order[(order.index(self.outcomes[option.id]) + 1) % len(order)])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Change the outcome by enter or a click."""
        event.stop()
        self.action_cycle()
