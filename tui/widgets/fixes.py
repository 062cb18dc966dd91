"""A fix: what to do, the code for it, and how it did in past incidents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.highlight import highlight
from textual.message import Message
from textual.widgets import Static

from ...rules.diagnosis import Fix
from .. import wording
from ..language import tr


class FixCard(Vertical, can_focus=True):
    """One fix; enter or a click copies its code, or its text where it has no code."""

    DEFAULT_CSS = """
    FixCard {
        height: auto;
        padding: 0 1;
        margin: 0 0 1 0;
        border-left: outer $panel;
        & .code { height: auto; margin: 0 0 0 2; }
        &:focus { border-left: outer $primary; background: $surface; }
        &:hover { background: $surface; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "copy", "Copy fix", show=False, id="fix.copy", tooltip="Copy this fix"),
    ]

    @dataclass
    class Copied(Message):
        """The fix is wanted in the clipboard."""

        card: FixCard
        fix: Fix

        @property
        def control(self) -> FixCard:
            """The card."""
            return self.card

    def __init__(self, fix: Fix) -> None:
        super().__init__()
        self.fix = fix

    def compose(self) -> ComposeResult:
        """Compose the sentence and the code."""
        moment = tr("now") if self.fix.when == "now" else tr("for good")
        yield Static(
            Content.assemble(
                (f"{moment}  ", "bold $plot-alarm" if self.fix.when == "now" else "bold $plot-train"),
                self.fix.text,
                "  ",
                (wording.record(self.fix), _record_style(self.fix)),
            )
        )
        if self.fix.code:
            yield Static(highlight(self.fix.code, language="python"), classes="code")

    def on_click(self) -> None:
        """Copy the fix."""
        self.action_copy()

    def action_copy(self) -> None:
        """Copy the fix."""
        self.post_message(self.Copied(self, self.fix))


def _record_style(fix: Fix) -> str:
    if not fix.tried:
        return "$foreground 50%"
    return "$text-success" if 2 * fix.worked >= fix.tried else "$text-warning"
