"""The top line: the screens with their keys, and what the screen is about."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from ..language import tr

PLACES = (
    ("runs", "Runs"),
    ("cases", "Cases"),
    ("rules", "Rules"),
    ("attach", "Attach"),
    ("settings", "Settings"),
)
"""The screens that a digit leads to."""


class Masthead(Widget):
    """One line; a click on a name goes there as its digit does."""

    DEFAULT_CSS = """
    Masthead {
        dock: top;
        height: 1;
        background: $background;
        color: $foreground 70%;
        padding: 0 1;
        link-style: none;
        link-color: $foreground 70%;
        link-background-hover: $panel;
        link-color-hover: $foreground;
        link-style-hover: none;
    }
    """
    subject: reactive[str] = reactive("")
    """What the screen is about, at the right."""
    place: reactive[str] = reactive("runs")
    """The screen's name in `PLACES`."""

    def render(self) -> Content:
        """Return the line, shortened to digits where names do not fit."""
        width = self.size.width
        names = self._names(short=width < 76)
        room = width - names.cell_length - 2
        subject = Content(self.subject).stylize("$foreground")
        if room < 4:
            return names
        subject = subject.truncate(room, ellipsis=True)
        return Content.assemble(names, " " * (width - names.cell_length - subject.cell_length), subject)

    def _names(self, short: bool) -> Content:
        parts: list[Content | tuple[str, str]] = [("spikelore", "bold $primary"), ("  ", "")]
        for digit, (place, name) in enumerate(PLACES, start=1):
            here = place == self.place
            label = f"{digit}" if short and not here else f"{digit} {tr(name)}"
            style = "bold $foreground" if here else f"@click=app.go('{place}')"
            parts += [Content.styled(label, style), ("  ", "")]
        return Content.assemble(*parts)
