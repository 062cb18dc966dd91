"""Similar: this incident beside the past ones that are most like it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import DataTable, Static

from ...casebase.values import Case
from ...rules.diagnosis import Diagnosis
from ..language import tr
from ..library import opened
from ..widgets.tables import cursor_key, fill
from . import likeness
from .base import BaseScreen


class SimilarScreen(BaseScreen):
    """One column for this incident, one for each past one.

    Args:
        diagnosis: the diagnosis with its similar incidents, the most similar first.
    """

    CSS_PATH = "similar.tcss"
    BINDING_GROUP_TITLE = "Similar incidents"
    AUTO_FOCUS = "DataTable"
    HELP = """
This incident in the first column, the most similar past ones beside it: what they turned out to be, what
was tried and what came of it, and the facts. `≠` marks a fact that is not like this one's. The row under the
cursor stands below in full length. `c` copies the fix that worked in the most similar one.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy fix", id="similar.copy", tooltip="Copy the fix that worked before"),
    ]
    table = getters.query_one(DataTable)

    @dataclass
    class Read(Message):
        """The past incidents."""

        cases: list[Case]

    def __init__(self, diagnosis: Diagnosis) -> None:
        super().__init__()
        self.diagnosis = diagnosis
        self.cases: list[Case] = []
        self._rows: dict[str, list[str]] = {}

    def body(self) -> Iterable[Widget]:
        """Return the table over the chosen row."""
        yield DataTable[Content](cursor_type="row", cursor_foreground_priority="renderable")
        yield Static(tr("Reading the past incidents …"), id="whole")

    def on_mount(self) -> None:
        """Read the incidents."""
        super().on_mount()
        self.subject(self.diagnosis.run)
        self._load()

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def _load(self) -> None:
        with opened() as library:
            self.post_message(self.Read([library.get(past.incident) for past in self.diagnosis.similar]))

    @on(Read)
    def _take(self, message: Read) -> None:
        self.cases = message.cases
        self._list()

    def on_resize(self) -> None:
        """Show as many incidents as fit."""
        self._list()

    def _list(self) -> None:
        if not self.cases:
            return
        shown = max(min(len(self.cases), (self.size.width - 24) // 20 - 1), 1)
        room = max((self.size.width - 24) // (shown + 1) - 2, 12)
        self._rows = likeness.rows(self.diagnosis, self.cases[:shown])
        names = ["", tr("this run"), *(case.id for case in self.cases[:shown])]
        cells = {
            name: [
                Content.styled(name, "$foreground 60%"),
                *(self._cell(value).truncate(room, ellipsis=True) for value in values),
            ]
            for name, values in self._rows.items()
        }
        fill(self.table, [name[: room + 1] for name in names], cells, translated=False)

    @staticmethod
    def _cell(value: str) -> Content:
        return Content.styled(value, "$text-warning" if value.startswith(likeness.UNLIKE) else "")

    @on(DataTable.RowHighlighted)
    def _whole(self) -> None:
        name = cursor_key(self.table)
        if name in self._rows:
            places = [tr("this run"), *(case.id for case in self.cases)]
            lines = [
                Content.assemble((f"{place}  ", "$primary"), value)
                for place, value in zip(places, self._rows[name], strict=False)
                if value
            ]
            self.query_one("#whole", Static).update(Content("\n").join(lines))

    def action_copy(self) -> None:
        """Copy what worked in the most similar incident that has such a fix."""
        text = next((fix for case in self.cases if (fix := likeness.worked(case))), "")
        if not text:
            self.notify(tr("No fix is known to have worked in these incidents."), markup=False)
            return
        self.app.copy_to_clipboard(text)
        self.notify(text, title=tr("Copied"), markup=False, timeout=4)
