"""Rules: what the diagnosis knows, cause by cause and rule by rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import events, getters, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import DataTable, Input, Static

from ...rules.rulebase import RuleBase, shared_store
from .. import rule_writing
from ..language import tr
from ..widgets.tables import cursor_key, fill
from . import SCREENS, rule_text
from .base import BaseScreen


class RulesScreen(BaseScreen):
    """Causes, rules and fixes with a preview."""

    PLACE = "rules"
    CSS_PATH = "rules.tcss"
    BINDING_GROUP_TITLE = "Rules"
    AUTO_FOCUS = "DataTable"
    HELP = """
Everything that the diagnosis can conclude, and on which evidence. A rule is one YAML file; those of your
team stand in the folders of `SPIKELORE_RULES` and win over the shipped ones. `n` begins a new one in the
workbench, `e` changes the one under the cursor.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "kind", "Causes/rules/fixes", id="rules.kind", tooltip="List causes, rules or fixes"),
        Binding("slash", "filter", "Filter", id="rules.filter", tooltip="Show only what contains a text"),
        Binding("e", "edit", "Edit", id="rules.edit", tooltip="Change the rule in the workbench"),
        Binding("n", "new", "New", id="rules.new", tooltip="Write a new rule in the workbench"),
        Binding("c", "copy", "Copy path", id="rules.copy", tooltip="Copy the path of the YAML file"),
        Binding("ctrl+r", "reload", "Reload", show=False, id="rules.reload", tooltip="Read the files again"),
    ]
    kind: reactive[int] = reactive(0, init=False, repaint=False)
    """Index into `rule_text.KINDS`."""
    table = getters.query_one(DataTable)
    box = getters.query_one("#filter", Input)

    @dataclass
    class Loaded(Message):
        """The rule base is read."""

        base: RuleBase

    def __init__(self) -> None:
        super().__init__()
        self.base: RuleBase | None = None

    def body(self) -> Iterable[Widget]:
        """Return the filter, the table and the preview."""
        yield Input(placeholder=tr("Filter by name, fact or word"), id="filter", compact=True)
        yield Static(id="problems")
        with Horizontal(id="found"):
            yield DataTable[Content](cursor_type="row", cursor_foreground_priority="renderable")
            with VerticalScroll(id="preview"):
                yield Static(tr("Reading the rules …"), id="document")

    def on_mount(self) -> None:
        """Read the rule base."""
        super().on_mount()
        self._load()

    @work(thread=True, exclusive=True, group="rules", exit_on_error=False)
    def _load(self) -> None:
        self.post_message(self.Loaded(shared_store().current()))

    @on(Loaded)
    def _take(self, message: Loaded) -> None:
        self.base = message.base
        problems = self.query_one("#problems", Static)
        problems.update(rule_text.problems(message.base))
        problems.display = bool(message.base.problems)
        self._list()

    def watch_kind(self) -> None:
        """List something else."""
        self._list()

    @on(Input.Changed, "#filter")
    def _list(self) -> None:
        if self.base is None:
            return
        kind = rule_text.KINDS[self.kind]
        wanted = self.box.value.strip().lower()
        names, rows = rule_text.rows(self.base, kind, wanted)
        room = max(self.table.size.width - 30, 20)
        shown = {
            key: [cells[0], cells[1].truncate(room, ellipsis=True), *cells[2:]] for key, cells in rows.items()
        }
        fill(self.table, names, shown)
        self.subject(tr("{kind}: {n}", n=len(rows), kind=tr(kind)))
        self._preview()

    @on(DataTable.RowHighlighted)
    def _preview(self) -> None:
        if self.base is not None and (identifier := cursor_key(self.table)):
            self.query_one("#document", Static).update(rule_text.document(self.base, identifier))
            self.query_one("#preview", VerticalScroll).scroll_home(animate=False)

    def on_key(self, event: events.Key) -> None:
        """Let the arrow keys leave the filter for the table."""
        if event.key in ("down", "enter") and self.box.has_focus:
            self.table.focus()
            event.stop()

    def action_kind(self) -> None:
        """List the next kind of document."""
        self.kind = (self.kind + 1) % len(rule_text.KINDS)

    def action_filter(self) -> None:
        """Type a filter."""
        self.box.focus()

    def action_copy(self) -> None:
        """Copy the path of the document under the cursor."""
        identifier = cursor_key(self.table)
        if self.base and identifier and (path := self.base.path(identifier)):
            self.app.copy_to_clipboard(str(path))
            self.notify(str(path), title=tr("Copied"), markup=False)

    def action_new(self) -> None:
        """Write a new rule."""
        self._edit(rule_writing.new_text(), None)

    def action_edit(self) -> None:
        """Change the rule under the cursor; of a shipped one, a copy."""
        identifier = cursor_key(self.table)
        if self.base is None or identifier not in self.base.rules:
            self.notify(tr("Choose a rule first: t lists them."), markup=False)
            return
        path = self.base.path(identifier)
        if path is not None:
            self._edit(path.read_text(encoding="utf-8"), path)

    def _edit(self, text: str, origin: Path | None) -> None:
        self.app.push_screen(SCREENS["workbench"](text, origin), self._come_back)

    def _come_back(self, _: object) -> None:
        self._load()

    def action_reload(self) -> None:
        """Read the files again."""
        self._load()

    def action_back(self) -> None:
        """Empty the filter, then go back to the runs."""
        if self.box.value or self.box.has_focus:
            self.box.value = ""
            self.table.focus()
        else:
            super().action_back()
