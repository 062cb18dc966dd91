"""Cases: every past incident, found as you type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, getters, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import DataTable, Input, Static

from ...casebase.values import Case, Filters, Hit
from .. import clock, wording
from ..language import tr
from ..library import opened
from ..numbers import number, when
from ..widgets.tables import cursor_key, fill
from . import case_text
from .base import BaseScreen

SHOWN = 100
"""Most results listed."""
STATES = ("", "open", "resolved")


class CasesScreen(BaseScreen):
    """Search, results, and the case under the cursor."""

    PLACE = "cases"
    CSS_PATH = "cases.tcss"
    BINDING_GROUP_TITLE = "Cases"
    AUTO_FOCUS = "#query"
    HELP = """
Type what you see: `loss nan after resume`, `学习率 突增`, or a cause. Misspelt words are mended.
`cause:model.exploding-gradients`, `fix:fix.clip-gradients`, `state:open` and `project:NAME` narrow
the search. Mark a case with space and move on to read two side by side.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", id="cases.search", tooltip="Type another search"),
        Binding("f", "state", "Open/resolved", id="cases.state", tooltip="All, open or resolved cases"),
        Binding("space", "mark", "Compare", id="cases.mark", tooltip="Keep this case beside the next one"),
        Binding("c", "copy", "Copy id", id="cases.copy", tooltip="Copy the case's id"),
    ]
    query_box = getters.query_one("#query", Input)
    table = getters.query_one(DataTable)

    @dataclass
    class Found(Message):
        """Results of the latest search."""

        hits: list[Hit]

    @dataclass
    class Read(Message):
        """A whole case."""

        case: Case

    def __init__(self) -> None:
        super().__init__()
        self.hits: dict[str, Hit] = {}
        self.state = ""
        self.marked: str | None = None
        self._read: dict[str, Case] = {}

    def body(self) -> Iterable[Widget]:
        """Return the search box, the results and the preview."""
        yield Input(placeholder=tr("Search past incidents"), id="query", compact=True)
        with Horizontal(id="found"):
            yield DataTable[Content](cursor_type="row", cursor_foreground_priority="renderable")
            with VerticalScroll(id="preview", can_focus=False), Horizontal(id="sides"):
                yield Static(id="left")
                yield Static(id="right")
        yield Static(id="advice", classes="empty")

    def on_mount(self) -> None:
        """List the newest cases."""
        super().on_mount()
        self.look()

    def on_screen_resume(self) -> None:
        """A case may have been resolved meanwhile."""
        self._read.clear()
        self.look()

    @on(Input.Changed, "#query")
    def look(self) -> None:
        """Search for what is typed."""
        self._search(self.query_box.value.strip(), self.state)

    @work(thread=True, exclusive=True, group="search", exit_on_error=False)
    def _search(self, text: str, state: str) -> None:
        filters = Filters(state=state)
        with opened() as library:
            if text:
                hits = list(library.search(text, filters, limit=SHOWN))
            else:
                hits = [Hit(case, 1.0, "") for case in library.list(filters, limit=SHOWN)]
        self.post_message(self.Found(hits))

    @on(Found)
    def _show(self, message: Found) -> None:
        if message.hits is None:
            return
        self.hits = {hit.case.id: hit for hit in message.hits}
        self.set_class(not self.hits, "-empty")
        state = tr(self.state) if self.state else tr("all")
        self.subject(tr("cases: {n}, {state}", n=len(self.hits), state=state))
        self.query_one("#advice", Static).update(_advice(self.query_box.value))
        names = self._columns()
        rows = {identifier: self._cells(hit)[: len(names)] for identifier, hit in self.hits.items()}
        fill(self.table, names, rows)
        self._preview()

    def _columns(self) -> list[str]:
        """Return the columns that fit: beside the preview the title needs the room of the cause."""
        if 100 <= self.size.width < 140:
            return ["", "Case"]
        return ["", "Case", "Cause", *(["Loss", "When"] if self.size.width >= 140 else [])]

    def _cells(self, hit: Hit) -> list[Content]:
        case = hit.case
        taken = {2: 6, 3: 36, 5: 56}[len(self._columns())]
        mark = "◆" if case.id == self.marked else "✓" if case.state == "resolved" else "○"
        return [
            Content.styled(mark, "$success" if case.state == "resolved" else "$warning"),
            Content(wording.case_title(case)).truncate(max(self.table.size.width - taken, 24), ellipsis=True),
            Content.styled(wording.readable(case.cause) if case.cause else tr("unknown"), "$primary"),
            Content(number(case.train_after, 3)),
            Content.styled(when(case.created, clock.now()), "$foreground 60%"),
        ]

    @on(DataTable.RowHighlighted)
    def _preview(self) -> None:
        if identifier := cursor_key(self.table):
            if identifier in self._read:
                self._show_case(self.Read(self._read[identifier]))
            else:
                self._load(identifier)

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def _load(self, identifier: str) -> None:
        with opened() as library:
            self.post_message(self.Read(library.get(identifier)))

    @on(Read)
    def _show_case(self, message: Read) -> None:
        case = message.case
        self._read[case.id] = case
        beside = self._read.get(self.marked or "")
        self.set_class(beside is not None and beside.id != case.id, "-two")
        hit = self.hits.get(case.id)
        self.query_one("#left", Static).update(case_text.whole(case, hit))
        if beside is not None:
            self.query_one("#right", Static).update(case_text.whole(beside, None))

    @on(Input.Submitted, "#query")
    def _to_results(self) -> None:
        self.table.focus()

    def on_key(self, event: events.Key) -> None:
        """Let the arrow keys leave the search box for the results."""
        if event.key == "down" and self.query_box.has_focus and self.hits:
            self.table.focus()
            event.stop()

    def action_search(self) -> None:
        """Type another search."""
        self.query_box.focus()

    def action_state(self) -> None:
        """Show all, only open, or only resolved cases."""
        self.state = STATES[(STATES.index(self.state) + 1) % len(STATES)]
        self.look()

    def action_mark(self) -> None:
        """Keep the case beside the next one, or let it go."""
        identifier = cursor_key(self.table)
        self.marked = None if identifier == self.marked else identifier
        self.look()

    def action_copy(self) -> None:
        """Copy the id of the case."""
        if identifier := cursor_key(self.table):
            self.app.copy_to_clipboard(identifier)
            self.notify(identifier, title=tr("Copied"), markup=False)

    def action_back(self) -> None:
        """Empty the search, then go back to the runs."""
        if self.query_box.value:
            self.query_box.value = ""
            self.query_box.focus()
        else:
            super().action_back()


def _advice(text: str) -> Content:
    if text.strip():
        return Content.assemble(
            (tr("Nothing is like that"), "bold"),
            f"\n\n{tr('Try fewer or other words, or f for all states.')}",
        )
    return Content.assemble(
        (tr("No cases yet"), "bold"),
        f"\n\n{tr('Every spike opens one. Resolve it in the triage, and it is found here.')}",
    )
