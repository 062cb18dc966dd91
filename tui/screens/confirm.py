"""Asks before something that cannot be undone."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from ..language import tr


class Confirm(ModalScreen[bool]):
    """A question with two answers; the harmless one has the focus.

    Args:
        question: what is about to happen.
        yes: the word for going on.
    """

    DEFAULT_CSS = """
    Confirm {
        align: center middle;
        background: $background 60%;
        & #box {
            width: 64; max-width: 92%; height: auto; padding: 1 2;
            background: $surface; border: round $plot-alarm;
        }
        & #answers { height: 1; margin-top: 1; }
        & Button { margin-right: 2; min-width: 12; }
    }
    """
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False, id="confirm.yes", tooltip="Go on"),
        Binding("n,escape", "answer(False)", "No", show=False, id="confirm.no", tooltip="Leave it as it is"),
    ]

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self._question, self._yes = question, yes

    def compose(self) -> ComposeResult:
        """Compose the question and its answers."""
        with Vertical(id="box"):
            yield Static(self._question, markup=False)
            with Horizontal(id="answers"):
                yield Button(f"{self._yes} (y)", variant="error", id="yes", compact=True)
                yield Button(f"{tr('Cancel')} (n)", id="no", compact=True)

    @on(Button.Pressed)
    def _press(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """Answer by key."""
        self.dismiss(answer)
