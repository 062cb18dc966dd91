"""The bottom line: the keys of the screen, with help always in sight."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Footer


class KeyBar(Footer):
    """A footer whose key for help stays at the right where the keys do not all fit."""

    def compose(self) -> ComposeResult:
        """Compose the keys, help set apart."""
        for part in super().compose():
            if getattr(part, "action", "") == "help":
                part.add_class("-help")
            yield part
