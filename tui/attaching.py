"""Probes into a running process and out of it again, and a watcher beside it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec

from ..probes.attach import Attachment, TrainingProcess, processes
from ..probes.attach import attach as put_in
from ..probes.attach import detach as take_out
from ..probes.evidence import EvidenceError, RunDirectory
from .home import run_directories

POLL_SECONDS = 0.5


class Process(msgspec.Struct):
    """One training process of this machine."""

    pid: int
    command: list[str]
    user: str
    python: str
    started: float
    """Unix time in seconds."""
    cpu: float
    """Share of one core used since its start."""
    memory: int
    """Resident bytes."""
    rank: int | None = None
    world: int | None = None
    run: str | None = None
    """Path of the run that records it now, None where none does."""


def training_processes() -> list[Process]:
    """Return the training processes of this machine, the busiest first."""
    recorded = _recorded()
    return [_plain(process, recorded) for process in processes()]


def _plain(process: TrainingProcess, recorded: dict[int, str]) -> Process:
    return Process(
        pid=process.pid,
        command=process.command,
        user=process.user,
        python=process.python,
        started=process.started,
        cpu=process.cpu,
        memory=process.memory,
        rank=process.rank,
        world=process.world,
        run=process.run or recorded.get(process.pid),
    )


def _recorded() -> dict[int, str]:
    found = {}
    for run in run_directories():
        try:
            manifest = run.manifest()
        except EvidenceError:
            continue
        if manifest.state == "running" and manifest.pid:
            found[manifest.pid] = str(run.path)
    return found


def attach(
    pid: int, run_dir: Path | None = None, budget: float | None = None, watch: bool = True
) -> Attachment:
    """Attach to a process, or to all ranks of a launcher, and watch the run in the background.

    Raises:
        AttachError: it cannot be attached to; says why and what to do.
    """
    attachment = put_in(pid, run_dir, budget=budget)
    if watch:
        watch_in_background(attachment)
    return attachment


def detach(pid: int) -> list[Path]:
    """Take the probes out; the job goes on.

    Raises:
        AttachError: it cannot be reached, or has no probes.
    """
    return take_out(pid)


def watch_in_background(attachment: Attachment) -> None:
    """Start a process that watches the run for as long as it is recorded."""
    pids = [str(pid) for pid in attachment.pids]
    subprocess.Popen(
        [sys.executable, "-m", __name__, str(attachment.run.path), *pids],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def watch(run: RunDirectory, pids: list[int]) -> None:
    """Watch a run until its processes have ended or let go of their probes."""
    from .recording import Alerts, Watch

    watching = Watch(run, Alerts(run, shown=False))
    watching.start()
    attachment = Attachment(run, pids)
    while attachment.alive() and run.manifest().state == "running":
        time.sleep(POLL_SECONDS)
    if run.manifest().state == "running":
        attachment.wait()
    watching.finish()


if __name__ == "__main__":
    watch(RunDirectory.open(sys.argv[1]), [int(pid) for pid in sys.argv[2:]])
