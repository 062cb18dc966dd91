"""Compare: runs over one another, and in what they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import DataTable, Static

from ...probes.evidence import RunDirectory
from .. import comparison
from ..language import tr
from ..widgets.plot import Plot
from ..widgets.tables import fill
from .base import BaseScreen


class CompareScreen(BaseScreen):
    """Up to four runs.

    Args:
        runs: the runs; those beyond the fourth are left out.
    """

    CSS_PATH = "compare.tcss"
    BINDING_GROUP_TITLE = "Compare"
    AUTO_FOCUS = "DataTable"
    HELP = """
Up to four runs in one plot, laid over one another by step, by epoch or by their alarms. The table
holds everything in which they differ: settings, versions, commit, data loader, optimizer.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "quantity", "Next curve", id="compare.quantity", tooltip="Compare another quantity"),
        Binding(
            "x", "align", "Align", id="compare.align", tooltip="Lay over one another by step, epoch or alarm"
        ),
        Binding("l", "log", "Log", id="compare.log", tooltip="Logarithmic or linear axis"),
        Binding("e", "everything", "All/different", id="compare.all", tooltip="Show what is equal, too"),
    ]
    quantity: reactive[int] = reactive(0, init=False, repaint=False)
    """Index into the quantities."""
    alignment: reactive[int] = reactive(0, init=False, repaint=False)
    """Index into the alignments."""
    everything: reactive[bool] = reactive(False, init=False, repaint=False)
    """Whether equal properties are listed, too."""
    plot = getters.query_one(Plot)

    @dataclass
    class Loaded(Message):
        """The runs are read."""

        subjects: list[comparison.Subject]

    def __init__(self, runs: Sequence[RunDirectory]) -> None:
        super().__init__()
        self.runs = list(runs)
        self.subjects: list[comparison.Subject] = []

    def body(self) -> Iterable[Widget]:
        """Return the plot and the table."""
        yield Static(tr("Reading {n} runs …", n=len(self.runs)), id="state")
        yield Plot(tr("training loss"))
        yield DataTable[Content](cursor_type="row", cursor_foreground_priority="renderable")

    def on_mount(self) -> None:
        """Read the runs."""
        super().on_mount()
        self.subject(tr("runs: {n}", n=len(self.runs)))
        self._load()

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def _load(self) -> None:
        self.post_message(self.Loaded(comparison.read(self.runs)))

    @on(Loaded)
    def _take(self, message: Loaded) -> None:
        self.subjects = message.subjects
        self._draw()
        self._list()

    def _draw(self) -> None:
        name, kind, title = comparison.QUANTITIES[self.quantity]
        alignment = comparison.ALIGNMENTS[self.alignment]
        self.plot.title = tr(title)
        # Laid over by their alarms, these stand at zero; otherwise each run has its own.
        self.plot.alarm = 0.0 if alignment == "alarm" else None
        self.plot.show(comparison.lines(self.subjects, name, kind, alignment))
        left_out = len(self.runs) - len(self.subjects)
        more = tr(", {n} more not shown", n=left_out) if left_out > 0 else ""
        self.query_one("#state", Static).update(
            tr("laid over one another by {what}", what=tr(alignment)) + more
        )

    def _list(self) -> None:
        rows = comparison.differences(self.subjects, self.everything)
        room = max((self.size.width - 30) // max(len(self.subjects), 1), 12)
        cells = {name: self._cells(name, values, room) for name, values in rows.items()}
        fill(
            self.query_one(DataTable),
            ["", *(subject.name for subject in self.subjects)],
            cells,
            translated=False,
        )

    @staticmethod
    def _cells(name: str, values: list[str], room: int) -> list[Content]:
        style = "bold" if len(set(values)) > 1 else "$foreground 60%"
        shown = [Content.styled(value, style).truncate(room, ellipsis=True) for value in values]
        return [Content.styled(name, "$foreground 60%"), *shown]

    def watch_quantity(self) -> None:
        """Draw another quantity."""
        self._draw()

    def watch_alignment(self) -> None:
        """Draw aligned otherwise."""
        self._draw()

    def watch_everything(self) -> None:
        """List more or less."""
        self._list()

    def action_quantity(self) -> None:
        """Compare the next quantity."""
        self.quantity = (self.quantity + 1) % len(comparison.QUANTITIES)

    def action_align(self) -> None:
        """Use the next alignment."""
        self.alignment = (self.alignment + 1) % len(comparison.ALIGNMENTS)

    def action_log(self) -> None:
        """Change the vertical axis."""
        self.plot.logarithmic = not self.plot.logarithmic

    def action_everything(self) -> None:
        """List what is equal, too, or not."""
        self.everything = not self.everything
