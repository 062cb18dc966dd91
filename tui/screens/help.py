"""Help: what the screen before shows, and every key that works there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Markdown, Static

from ..language import current, tr

_TEXTUAL = ("tab", "shift+tab")
"""Keys of Textual itself worth naming."""


class HelpScreen(ModalScreen[None]):
    """A page over the screen that it explains.

    Args:
        about: the screen to explain.
    """

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss", "Close", id="help.close", tooltip="Close the help"),
    ]

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        self._title = str(about.BINDING_GROUP_TITLE or about.title or "")
        self._text = _explanation(about)
        self._keys = list(about.active_bindings.values())

    def compose(self) -> ComposeResult:
        """Compose the text and the keys."""
        with VerticalScroll(id="page") as page:
            page.border_title = tr(self._title)
            page.border_subtitle = tr("escape closes")
            yield Markdown(self._text)
            yield Static(self._table(), id="keys")

    def _table(self) -> Content:
        rows = list(self._rows(self._keys))
        width = max((len(key) for key, _ in rows), default=0) + 2
        lines = [Content.assemble((key.rjust(width), "bold $primary"), "  ", text) for key, text in rows]
        return Content("\n").join(lines)

    def _rows(self, keys: Iterable[ActiveBinding]) -> Iterable[tuple[str, str]]:
        seen: dict[str, list[str]] = {}
        for active in sorted(keys, key=lambda active: active.binding.key in _TEXTUAL):
            if not (active.binding.id or active.binding.key in _TEXTUAL):
                # What every list and every scroll bar can do needs no explanation.
                continue
            binding = active.binding
            text = tr(binding.tooltip or binding.description)
            if text and not binding.system:
                seen.setdefault(text, []).append(self.app.get_key_display(binding))
        for text, names in seen.items():
            yield " ".join(dict.fromkeys(names)), text


def _explanation(about: Screen[object]) -> str:
    if current() == "zh":
        from ..chinese import help_of

        if text := help_of(type(about).__module__.rpartition(".")[2]):
            return text
    return str(getattr(about, "HELP", "")).strip()
