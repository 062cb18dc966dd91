"""The application: its screens, keys and themes. What screens do is in the screens."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.screen import Screen

from ..probes.evidence import RunDirectory
from . import themes
from .language import tr
from .palette import Actions
from .screens import SCREENS
from .settings import Settings


class SpikeloreApp(App[None]):
    """Runs, their diagnosis, and the cases they became.

    Args:
        run: open this run at once.
        screen: what to open it in, ``live`` or ``triage``.
        folders: more folders of runs to list.
        settings: the user's settings.
    """

    TITLE = "spikelore"
    CSS_PATH = "app.tcss"
    SCREENS = SCREENS
    MODES = {place: place for place in ("runs", "cases", "rules", "attach", "settings")}  # noqa: RUF012
    DEFAULT_MODE = "runs"
    COMMANDS = App.COMMANDS | {Actions}
    BINDING_GROUP_TITLE = "spikelore"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "go('runs')", "Runs", show=False, id="go.runs", tooltip="Recorded and running jobs"),
        Binding("2", "go('cases')", "Cases", show=False, id="go.cases", tooltip="Search past incidents"),
        Binding("3", "go('rules')", "Rules", show=False, id="go.rules", tooltip="What the diagnosis knows"),
        Binding("4", "go('attach')", "Attach", show=False, id="go.attach", tooltip="Attach to a running job"),
        Binding("5", "go('settings')", "Settings", show=False, id="go.settings", tooltip="Change settings"),
        Binding("f1", "help", "Help", id="app.help", tooltip="What this screen shows, and its keys"),
        Binding(
            "ctrl+p", "command_palette", "Commands", show=False, id="app.commands", tooltip="Every action"
        ),
        Binding("q", "quit", "Quit", show=False, id="app.quit", tooltip="Leave; jobs go on"),
    ]

    def __init__(
        self,
        run: RunDirectory | None = None,
        screen: str = "live",
        folders: Iterable[Path] = (),
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self.folders = tuple(folders)
        self._first = (screen, run) if run else None

    def on_mount(self) -> None:
        """Dress, and open the run that was asked for."""
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = self.settings.theme if self.settings.theme in self.available_themes else themes.DEFAULT
        self.set_keymap(self.settings.keymap)
        if self._first:
            self.call_later(self._open, *self._first)

    def _open(self, screen: str, run: RunDirectory) -> None:
        if screen == "triage":
            self.push_screen(SCREENS["live"](run))
        self.push_screen(SCREENS[screen](run))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Colours of curves in themes that have none of their own."""
        return themes.plot_colours(self.current_theme)

    async def action_go(self, place: str) -> None:
        """Show one of the five places, as it was left."""
        await self.switch_mode(place)

    async def rebuild(self) -> None:
        """Draw every place anew, for example in another language; what was open over a place is closed."""
        here = self.current_mode
        for place in self.MODES:
            if place != here:
                await self.remove_mode(place)
                self.add_mode(place, place)
        self.refresh_bindings()
        await self.screen.recompose()
        self.screen.post_message(events.ScreenResume())

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:  # noqa: ARG002
        """Return what the palette offers beside the actions of the screen."""
        yield SystemCommand(tr("Theme"), tr("Try other colours; the settings keep one"), self.search_themes)
        yield SystemCommand(tr("Picture"), tr("Save this screen as an SVG picture"), self.deliver_screenshot)

    def action_command_palette(self) -> None:
        """Offer every action by name."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette(id="--command-palette", placeholder=tr("Search for actions")))

    def action_help(self) -> None:
        """Explain the screen."""
        self.push_screen(SCREENS["help"](self.screen))
