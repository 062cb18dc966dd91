"""Runs: everything recorded here, live jobs first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import DataTable, Input, Static

from ...probes.evidence import RunDirectory
from .. import clock
from ..home import runs_dir
from ..language import tr
from ..numbers import duration, number, when
from ..runs import RunSummary, span, summaries
from ..widgets import runstate
from ..widgets.sparkline import sparkline
from ..widgets.tables import cursor_key, fill
from .base import BaseScreen
from .runs_preview import RunPreview

REFRESH = 2.0
"""Seconds between two looks at the runs."""


class RunsScreen(BaseScreen):
    """The list of runs."""

    PLACE = "runs"
    CSS_PATH = "runs.tcss"
    AUTO_FOCUS = "DataTable"
    BINDING_GROUP_TITLE = "Runs"
    HELP = """
Every run recorded on this machine, live jobs first. The curve is the training loss of the whole run;
`▲` marks a loss spike. Start a recorded job with

    spikelore run -- python train.py
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "watch", "Open", priority=True, id="runs.open", tooltip="Show the run's curves"),
        Binding(
            "d", "diagnose", "Diagnose", id="runs.diagnose", tooltip="Why the loss jumped, and what to do"
        ),
        Binding("space", "mark", "Mark", id="runs.mark", tooltip="Mark the run for a comparison"),
        Binding("c", "compare", "Compare", id="runs.compare", tooltip="Compare the marked runs"),
        Binding(
            "slash", "filter", "Filter", id="runs.filter", tooltip="Show only runs whose name contains a text"
        ),
    ]
    table = getters.query_one(DataTable)
    preview = getters.query_one(RunPreview)
    box = getters.query_one("#filter", Input)

    class Found(Message):
        """The runs as they are now."""

        def __init__(self, rows: list[RunSummary]) -> None:
            super().__init__()
            self.rows = rows

        def can_replace(self, message: Message) -> bool:
            """Only the latest look counts."""
            return isinstance(message, RunsScreen.Found)

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, RunSummary] = {}
        self.marked: list[str] = []
        self._wanted = ""

    def body(self) -> Iterable[Widget]:
        """Return the filter, the table with its preview, and what to do when there is nothing."""
        yield Input(placeholder=tr("Filter by name"), id="filter", compact=True)
        with Horizontal(id="runs"):
            yield DataTable[Content](cursor_type="row", cursor_foreground_priority="renderable")
            yield RunPreview()
        with Vertical(id="none"):
            yield Static(id="advice", classes="empty", markup=True)

    def on_mount(self) -> None:
        """Look for runs, now and from time to time."""
        super().on_mount()
        self.box.display = False
        self.set_class(True, "-looking")
        self.set_interval(REFRESH, self.look)
        self.look()

    def on_screen_resume(self) -> None:
        """Look again after another screen was shown."""
        self.look()

    @work(thread=True, exclusive=True, group="look", exit_on_error=False)
    def look(self) -> None:
        """Find the runs."""
        self.post_message(self.Found(summaries(*self.spikelore.folders)))

    @on(Found)
    def show(self, message: Found) -> None:
        """Fill the table, the cursor staying on its run."""
        self.rows = {str(row.path): row for row in message.rows}
        self.remove_class("-looking")
        self.set_class(not self.rows, "-empty")
        live = sum(row.live for row in message.rows)
        self.subject(tr("runs: {n}, live: {live}", n=len(self.rows), live=live) if self.rows else "")
        if not self.rows:
            self.query_one("#advice", Static).update(_advice())
        self._fill()

    def _fill(self) -> None:
        self._wanted = wanted = self.box.value.strip().lower()
        rows = [row for row in self.rows.values() if wanted in row.name.lower()]
        fill(self.table, _columns(self.size.width), {str(row.path): self._cells(row) for row in rows})
        self.call_later(self._preview)

    def _cells(self, row: RunSummary) -> list[Content]:
        mark = "◆ " if str(row.path) in self.marked else ""
        now = clock.now()
        cells = {
            "State": runstate.state(row.state),
            "Run": Content(f"{mark}{row.name}").truncate(max(self.size.width // 3, 12), ellipsis=True),
            "Started": Content.styled(when(row.created, now), "$foreground 60%"),
            "Took": Content.styled(duration(span(row, now)), "$foreground 60%"),
            "Step": Content(number(row.step)),
            "Loss": Content(number(row.loss, 3)),
            "Curve": Content.styled(sparkline(row.losses, 16), "$plot-train"),
            "": runstate.alarm(row),
        }
        return [cells[label] for label in _columns(self.size.width)]

    def on_resize(self) -> None:
        """Show as many columns as fit."""
        if self.rows:
            self._fill()

    def _chosen(self) -> RunSummary | None:
        if self.box.value.strip().lower() != self._wanted:
            # Typed and entered in one go: the row meant is one of those that the text leaves.
            self._fill()
        return self.rows.get(cursor_key(self.table) or "")

    @on(DataTable.RowHighlighted)
    async def _preview(self) -> None:
        await self.preview.show(self._chosen())

    @on(DataTable.RowSelected)
    def action_watch(self) -> None:
        """Open the run under the cursor."""
        if self.box.has_focus:
            # After what was typed before it: those keys may still wait for the box.
            self.box.call_later(self._watch)
        else:
            self._watch()

    def _watch(self) -> None:
        if (row := self._chosen()) and not row.problem:
            self.open("live", RunDirectory(row.path))

    def action_diagnose(self) -> None:
        """Diagnose the run under the cursor."""
        if (row := self._chosen()) and not row.problem:
            self.open("triage", RunDirectory(row.path))

    def action_mark(self) -> None:
        """Mark the run for a comparison, or take the mark away."""
        if key := cursor_key(self.table):
            self.marked = [other for other in self.marked if other != key] + [key] * (key not in self.marked)
            self._fill()

    def action_compare(self) -> None:
        """Compare the marked runs and the one under the cursor."""
        keys = list(dict.fromkeys([*self.marked, *filter(None, [cursor_key(self.table)])]))
        if len(keys) < 2:
            self.notify(tr("Mark a run with space, move to another one, then press c."), markup=False)
            return
        self.open("compare", [RunDirectory(self.rows[key].path) for key in keys if key in self.rows])

    def action_filter(self) -> None:
        """Show the filter and type into it."""
        self.box.display = True
        self.refresh_bindings()
        self.box.focus()

    @on(Input.Changed, "#filter")
    def _narrow(self) -> None:
        self._fill()

    @on(Input.Submitted, "#filter")
    def _leave_filter(self) -> None:
        self.table.focus()

    def can_go_back(self) -> bool:
        """From the first screen escape only takes the filter away."""
        return self.box.display

    def action_back(self) -> None:
        """Take the filter away."""
        self.box.value = ""
        self.box.display = False
        self.refresh_bindings()
        self.table.focus()


def _columns(width: int) -> list[str]:
    """Return the names of the columns that fit."""
    if width < 72:
        return ["State", "Run", "Loss", ""]
    if width < 100:
        return ["State", "Run", "Step", "Loss", "Curve", ""]
    return ["State", "Run", "Started", *(["Took"] if width >= 170 else []), "Step", "Loss", "Curve", ""]


def _advice() -> Content:
    return Content.assemble(
        (tr("No runs yet"), "bold $foreground"),
        f"\n\n{tr('Record a job, nothing in it changed:')}\n\n",
        ("spikelore run -- python train.py", "$primary"),
        f"\n\n{tr('or see one spike and be diagnosed:')}\n\n",
        ("spikelore demo", "$primary"),
        f"\n\n{tr('Runs are kept in {folder}', folder=runs_dir())}",
    )
