"""Settings: language, colours, database, thresholds, notifications and keys; kept when saved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

import msgspec
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import DataTable, Input, Label, Select, Static

from ...probes.evidence.home import home
from .. import applying, keys, notifying
from .. import settings as store
from ..home import database_url
from ..language import tr
from ..library import masked
from ..widgets.tables import cursor_key, fill
from .base import BaseScreen
from .key_press import KeyPress

LANGUAGES = (("as the locale says", ""), ("English", "en"), ("中文", "zh"))


class SettingsScreen(BaseScreen):
    """The form of the settings, and the keys."""

    PLACE = "settings"
    CSS_PATH = "settings.tcss"
    BINDING_GROUP_TITLE = "Settings"
    HELP = """
Everything counts from the moment it is saved. Notifications are addresses of
[Apprise](https://github.com/caronc/apprise) (`slack://…`, `mailto://…`, `ntfy://topic`), separated by
commas; the watcher of every run tells them of an alarm and of its likely cause. The detector finds its own
thresholds in every run; those here say what is worth a message and a place in the list of causes. Enter on
a key changes it. The environment (`SPIKELORE_DB`, `SPIKELORE_LANG`) wins.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, id="settings.save", tooltip="Keep the settings"),
        Binding("ctrl+t", "check", "Test database", id="settings.test", tooltip="Try to reach the database"),
        Binding(
            "ctrl+n", "message", "Test message", id="settings.message", tooltip="Send a message to try them"
        ),
    ]

    def body(self) -> Iterable[Widget]:
        """Return the form over the table of keys."""
        with VerticalScroll(can_focus=False):
            with Grid(id="form"):
                for name, field in self._fields():
                    yield Label(tr(name))
                    yield field
            yield Label(tr("Keys: enter changes one"), classes="heading")
            yield DataTable[Content](cursor_type="row", cursor_foreground_priority="renderable")
            yield Static(_about(), id="about")

    def _fields(self) -> Iterator[tuple[str, Widget]]:
        now = self.spikelore.settings
        themes = [(name, name) for name in sorted(self.app.available_themes, key=_ours_first)]
        languages = [(tr(name), value) for name, value in LANGUAGES]
        yield "Theme", Select(themes, value=self.app.theme, allow_blank=False, id="theme", compact=True)
        yield (
            "Language",
            Select(languages, value=now.language, allow_blank=False, id="language", compact=True),
        )
        yield "Case library", _input("database", now.database, masked(database_url()))
        yield "More folders of runs", _input("folders", ", ".join(now.folders), tr("separated by commas"))
        yield "Your name", _input("author", now.author, store.author(now))
        yield "Notifications", _input("notify", ", ".join(now.notify), "slack://token/channel, ntfy://topic")
        least = f"{now.notify_from:g}" if now.notify_from else ""
        yield "Notify from a rise of", _input("notify_from", least, tr("times; every alarm when empty"), True)
        certainty = f"{100 * now.least_certainty:g}" if now.least_certainty else ""
        yield "Causes from a certainty of", _input("certainty", certainty, tr("%; all when empty"), True)

    def on_mount(self) -> None:
        """List the keys."""
        super().on_mount()
        self._list_keys()

    def _list_keys(self) -> None:
        changed = self.spikelore.settings.keymap
        rows = {
            key.id: [
                Content.styled(changed.get(key.id, key.key), "bold $primary" if key.id in changed else ""),
                Content(tr(key.meaning)),
                Content.styled(key.id, "$foreground 60%"),
            ]
            for key in keys.all_keys()
        }
        fill(self.query_one(DataTable), ["Key", "Does", "Id"], rows)

    @on(Select.Changed, "#theme")
    def _dress(self, event: Select.Changed) -> None:
        self.app.theme = str(event.value)

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value.strip()

    def _number(self, name: str, most: float) -> float:
        return min(max(float(self._text(name) or 0), 0.0), most)

    def _listed(self, name: str) -> list[str]:
        return [part.strip() for part in self._text(name).split(",") if part.strip()]

    def _values(self) -> store.Settings:
        return msgspec.structs.replace(
            self.spikelore.settings,
            theme=str(self.query_one("#theme", Select).value),
            language=str(self.query_one("#language", Select).value),
            database=self._text("database"),
            folders=self._listed("folders"),
            author=self._text("author"),
            notify=self._listed("notify"),
            notify_from=self._number("notify_from", 1e9),
            least_certainty=self._number("certainty", 100.0) / 100,
        )

    async def action_save(self) -> None:
        """Keep the settings and live by them."""
        wrong = next((field for field in self.query(Input) if not field.is_valid), None)
        if wrong is not None:
            self.notify(tr("{value} is not a number.", value=wrong.value), severity="warning", markup=False)
            wrong.focus()
            return
        values = self._values()
        try:
            notifying.check(values.notify)
            store.save(values)
        except Exception as error:  # noqa: BLE001 - shown as a sentence
            self.complain(error)
            return
        await applying.apply(self.spikelore, values)
        self.app.notify(tr("Saved to {path}", path=store.settings_path()), markup=False)

    def action_check(self) -> None:
        """Try to reach the database that is typed."""
        url = self._text("database") or database_url()
        self.run_worker(
            lambda: self._reach(url), thread=True, exclusive=True, group="database", exit_on_error=False
        )

    def _reach(self, url: str) -> None:
        from ...casebase import CaseLibrary

        with CaseLibrary.open(url) as library:
            count = library.statistics().incidents
        text = tr("{url}: {n} cases", url=masked(url), n=count)
        self.app.call_from_thread(self.notify, text, title=tr("The database answers"), markup=False)

    def action_message(self) -> None:
        """Send a message to the addresses that are typed."""
        urls = self._listed("notify")
        if not urls:
            self.notify(tr("Type an address first, for example ntfy://topic."), markup=False)
            return
        self.run_worker(
            lambda: self._send(urls), thread=True, exclusive=True, group="message", exit_on_error=False
        )

    def _send(self, urls: list[str]) -> None:
        notifying.send(urls, "spikelore", tr("Alarms will be told here."))
        self.app.call_from_thread(self.notify, tr("The message is sent."), markup=False)

    @on(DataTable.RowSelected)
    def _ask_for_key(self) -> None:
        identifier = cursor_key(self.query_one(DataTable))
        if identifier is None:
            return
        key = next(key for key in keys.all_keys() if key.id == identifier)
        now = self.spikelore.settings.keymap.get(identifier, key.key)

        def take(pressed: str | None) -> None:
            if pressed is not None:
                self._remap(identifier, "" if pressed in ("backspace", key.key) else pressed)

        self.app.push_screen(KeyPress(tr(key.meaning), now), take)

    def _remap(self, identifier: str, pressed: str) -> None:
        """Give an action another key, or its own back."""
        taken = keys.taken_by(pressed, identifier, self.spikelore.settings.keymap) if pressed else None
        if taken is not None:
            text = tr("{key} is taken: {meaning}", key=pressed, meaning=tr(taken.meaning))
            self.notify(text, severity="warning", markup=False)
            return
        keymap = {name: key for name, key in self.spikelore.settings.keymap.items() if name != identifier}
        values = msgspec.structs.replace(
            self.spikelore.settings, keymap={**keymap, **({identifier: pressed} if pressed else {})}
        )
        try:
            store.save(values)
        except OSError as error:
            self.complain(error)
            return
        self.spikelore.settings = values
        self.app.set_keymap(values.keymap)
        self.refresh_bindings()
        self._list_keys()


def _input(name: str, value: str, placeholder: str, is_number: bool = False) -> Input:
    return Input(
        value,
        placeholder=placeholder,
        type="number" if is_number else "text",
        valid_empty=True,
        id=name,
        compact=True,
    )


def _ours_first(name: str) -> tuple[bool, str]:
    return not name.startswith("spikelore"), name


def _about() -> Content:
    lines = [(tr("Settings"), store.settings_path()), (tr("Home folder"), home())]
    return Content("\n").join(
        Content.assemble((f"{name}  ", "$foreground 60%"), str(place)) for name, place in lines
    )
