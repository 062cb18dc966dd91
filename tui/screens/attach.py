"""Attach: PyTorch processes of this machine, recorded or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import DataTable, Static

from ...probes.evidence import RunDirectory
from .. import attaching, clock
from ..language import tr
from ..numbers import duration, size
from ..widgets.tables import cursor_key, fill
from .base import BaseScreen

REFRESH = 3.0
"""Seconds between two looks at the processes."""


class AttachScreen(BaseScreen):
    """The list of training processes."""

    PLACE = "attach"
    CSS_PATH = "attach.tcss"
    BINDING_GROUP_TITLE = "Attach"
    AUTO_FOCUS = "DataTable"
    HELP = """
Processes with PyTorch loaded. A recorded one opens with enter. Attaching puts the probes into a running,
unmodified process and detaching takes them out again; the job goes on all the while.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "watch",
            "Open",
            priority=True,
            id="attach.open",
            tooltip="Show the curves of a recorded job",
        ),
        Binding("a", "attach", "Attach", id="attach.attach", tooltip="Put probes into the process"),
        Binding("x", "detach", "Detach", id="attach.detach", tooltip="Take the probes out; the job goes on"),
    ]
    table = getters.query_one(DataTable)

    @dataclass
    class Found(Message):
        """The processes as they are now."""

        processes: list[attaching.Process]

    @dataclass
    class Done(Message):
        """Something was attached to or detached from."""

        text: str
        run: Path | None = None

    def __init__(self) -> None:
        super().__init__()
        self.processes: dict[str, attaching.Process] = {}

    def body(self) -> Iterable[Widget]:
        """Return the table, or what to do when it is empty."""
        yield DataTable[Content](cursor_type="row", cursor_foreground_priority="renderable")
        yield Static(_advice(), id="advice", classes="empty")

    def on_mount(self) -> None:
        """Look for processes, now and from time to time."""
        super().on_mount()
        self.set_interval(REFRESH, self.look)
        self.look()

    @work(thread=True, exclusive=True, group="look", exit_on_error=False)
    def look(self) -> None:
        """Find the processes."""
        if self.is_current:
            self.post_message(self.Found(attaching.training_processes()))

    def on_screen_resume(self) -> None:
        """Look again after another screen was shown."""
        self.look()

    @on(Found)
    def show(self, message: Found) -> None:
        """List the processes."""
        self.processes = {str(process.pid): process for process in message.processes}
        self.set_class(not self.processes, "-empty")
        self.subject(tr("processes: {n}", n=len(self.processes)) if self.processes else "")
        names = ["PID", "", "Age", "Memory", "Command"]
        if self.size.width >= 100:
            names.insert(1, "User")
        if any(process.rank is not None for process in self.processes.values()):
            names.insert(-1, "Rank")
        taken = 44 + 12 * ("User" in names) + 8 * ("Rank" in names)
        room = max(self.size.width - taken, 16)
        rows = {pid: self._cells(process, names, room) for pid, process in self.processes.items()}
        fill(self.table, names, rows)

    @staticmethod
    def _cells(process: attaching.Process, names: list[str], room: int) -> list[Content]:
        if process.run:
            state = Content.styled(f"● {tr('recorded')}", "$success")
        else:
            state = Content.styled(f"○ {tr('not recorded')}", "$foreground 70%")
        cells = {
            "PID": Content(str(process.pid)),
            "User": Content.styled(process.user, "$foreground 60%"),
            "": state,
            "Age": Content(duration(clock.now() - process.started)),
            "Memory": Content(size(process.memory)),
            "Rank": Content("" if process.rank is None else f"{process.rank}/{process.world}"),
            "Command": Content(_command(process)).truncate(room, ellipsis=True),
        }
        return [cells[name] for name in names]

    def _chosen(self) -> attaching.Process | None:
        return self.processes.get(cursor_key(self.table) or "")

    @on(DataTable.RowSelected)
    def action_watch(self) -> None:
        """Show the curves of a recorded job."""
        process = self._chosen()
        if process and process.run:
            self.open("live", RunDirectory(Path(process.run)))
        elif process:
            self.notify(tr("This process is not recorded. Press a to attach to it."), markup=False)

    def action_attach(self) -> None:
        """Attach to the process under the cursor."""
        process = self._chosen()
        if process is None:
            return
        if process.run:
            self.notify(tr("This process is recorded already. Press enter to see it."), markup=False)
            return
        self.notify(tr("Attaching to {pid} …", pid=process.pid), markup=False, timeout=3)
        self._put_in(process.pid)

    @work(thread=True, exclusive=True, group="attach", exit_on_error=False)
    def _put_in(self, pid: int) -> None:
        done = attaching.attach(pid)
        self.post_message(self.Done(tr("Attached to {pid}.", pid=pid), done.run.path))

    def action_detach(self) -> None:
        """Detach from the process under the cursor."""
        if (process := self._chosen()) and process.run:
            self._take_out(process.pid)

    @work(thread=True, exclusive=True, group="attach", exit_on_error=False)
    def _take_out(self, pid: int) -> None:
        attaching.detach(pid)
        self.post_message(self.Done(tr("Detached from {pid}; the job goes on.", pid=pid)))

    @on(Done)
    def _tell(self, message: Done) -> None:
        self.notify(message.text, markup=False)
        if message.run:
            self.open("live", RunDirectory(message.run))
        self.look()


def _command(process: attaching.Process) -> str:
    """Return the command line with the program's name only: the script matters, not where Python lies."""
    program = [Path(process.command[0]).name, *process.command[1:]] if process.command else []
    return " ".join(program)


def _advice() -> Content:
    return Content.assemble(
        (tr("No PyTorch process is running here"), "bold $foreground"),
        f"\n\n{tr('Start one that is recorded from its first step:')}\n\n",
        ("spikelore run -- python train.py", "$primary"),
    )
