"""Waits for a key that an action is to have from now on."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ..language import tr


class KeyPress(ModalScreen[str | None]):
    """The next key is the answer; escape leaves everything as it is.

    Args:
        action: what the key will do.
        current: the key that does it now.
    """

    DEFAULT_CSS = """
    KeyPress {
        align: center middle;
        background: $background 60%;
        & #ask {
            width: auto; max-width: 90%; padding: 1 3; text-align: center;
            background: $surface; border: round $primary;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, action: str, current: str) -> None:
        super().__init__()
        self._action, self._current = action, current

    def compose(self) -> ComposeResult:
        """Compose the question."""
        yield Static(
            Content.assemble(
                (self._action, "bold"),
                f"\n\n{tr('Press the new key, escape to keep {key}.', key=self._current)}\n",
                (tr("Backspace takes the original one back."), "$foreground 60%"),
            ),
            id="ask",
        )

    def on_key(self, event: events.Key) -> None:
        """Take the key."""
        event.stop()
        event.prevent_default()
        self.dismiss(None if event.key == "escape" else event.key)
