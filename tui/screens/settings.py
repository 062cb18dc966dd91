"""Settings: language, colours, database, folders, name; kept when saved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import msgspec
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Label, Select, Static

from ...probes.evidence.home import home
from .. import settings as store
from ..home import database_url
from ..language import tr
from ..library import masked
from .base import BaseScreen

LANGUAGES = (("as the locale says", ""), ("English", "en"), ("中文", "zh"))


class SettingsScreen(BaseScreen):
    """The form of the settings."""

    PLACE = "settings"
    CSS_PATH = "settings.tcss"
    BINDING_GROUP_TITLE = "Settings"
    HELP = """
The theme changes at once; the language and the database count from the next start. Keys are remapped in
the settings file: `keymap: {live.alarm: f5}`. The environment (`SPIKELORE_DB`, `SPIKELORE_LANG`) wins.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, id="settings.save", tooltip="Keep the settings"),
        Binding("ctrl+t", "check", "Test database", id="settings.test", tooltip="Try to reach the database"),
    ]

    def body(self) -> Iterable[Widget]:
        """Return the form."""
        current = self.spikelore.settings
        themes = [(name, name) for name in sorted(self.app.available_themes, key=_ours_first)]
        with VerticalScroll(can_focus=False), Grid(id="form"):
            yield Label(tr("Theme"))
            yield Select(themes, value=self.app.theme, allow_blank=False, id="theme", compact=True)
            yield Label(tr("Language"))
            languages = [(tr(name), value) for name, value in LANGUAGES]
            yield Select(languages, value=current.language, allow_blank=False, id="language", compact=True)
            yield Label(tr("Case library"))
            yield Input(current.database, placeholder=masked(database_url()), id="database", compact=True)
            yield Label(tr("More folders of runs"))
            yield Input(
                ", ".join(current.folders), placeholder=tr("separated by commas"), id="folders", compact=True
            )
            yield Label(tr("Your name"))
            yield Input(current.author, placeholder=store.author(current), id="author", compact=True)
        yield Static(_about(), id="about")

    @on(Select.Changed, "#theme")
    def _dress(self, event: Select.Changed) -> None:
        self.app.theme = str(event.value)

    def _values(self) -> store.Settings:
        folders = self.query_one("#folders", Input).value.split(",")
        return msgspec.structs.replace(
            self.spikelore.settings,
            theme=str(self.query_one("#theme", Select).value),
            language=str(self.query_one("#language", Select).value),
            database=self.query_one("#database", Input).value.strip(),
            folders=[folder.strip() for folder in folders if folder.strip()],
            author=self.query_one("#author", Input).value.strip(),
        )

    def action_save(self) -> None:
        """Keep the settings."""
        values = self._values()
        try:
            store.save(values)
        except OSError as error:
            self.complain(error)
            return
        self.spikelore.settings = values
        self.notify(tr("Saved to {path}", path=store.settings_path()), markup=False)

    def action_check(self) -> None:
        """Try to reach the database that is typed."""
        self._try(self.query_one("#database", Input).value.strip() or database_url())

    def _try(self, url: str) -> None:
        self.run_worker(
            lambda: self._reach(url), thread=True, exclusive=True, group="database", exit_on_error=False
        )

    def _reach(self, url: str) -> None:
        from ...casebase import CaseLibrary

        with CaseLibrary.open(url) as library:
            count = library.statistics().incidents
        text = tr("{url}: {n} cases", url=masked(url), n=count)
        self.app.call_from_thread(self.notify, text, title=tr("The database answers"), markup=False)


def _ours_first(name: str) -> tuple[bool, str]:
    return not name.startswith("spikelore"), name


def _about() -> Content:
    lines = [(tr("Settings"), store.settings_path()), (tr("Home folder"), home())]
    return Content("\n").join(
        Content.assemble((f"{name}  ", "$foreground 60%"), str(place)) for name, place in lines
    )
