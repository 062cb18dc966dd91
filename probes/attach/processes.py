"""Finding the training processes of this machine."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from ..secrets import mask_command

_TORCH_LIBRARIES = ("libtorch_cpu", "libtorch_python", "libtorch.so")


@dataclass(frozen=True)
class TrainingProcess:
    """A Python process that has torch loaded.

    Attributes:
        rank: from its environment, None where that has none.
        run: the run directory of the probes it was started with, None if it was started without.
        cpu: share of one core it has used since its start.
        memory: resident bytes.
        started: Unix time in seconds.
    """

    pid: int
    command: list[str]
    user: str
    python: str
    rank: int | None
    world: int | None
    run: str | None
    cpu: float
    memory: int
    started: float


def processes() -> list[TrainingProcess]:
    """Return the processes that have torch loaded and are readable, the busiest first.

    Data-loading workers and launchers are left out: the ones whose parent or only whose children train.
    """
    found = {process.pid: process for process in map(_describe, psutil.process_iter()) if process}
    helpers = {pid for pid in found if _is_helper(pid, found)}
    kept = [process for pid, process in found.items() if pid not in helpers]
    return sorted(kept, key=lambda process: -process.cpu)


def ranks_of(pid: int) -> list[int]:
    """Return the processes to attach to when the user names ``pid``.

    A launcher such as torchrun stands for the ranks below it, any other process for itself.
    """
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return [pid]
    ranks = [
        child.pid for child in children if _has_torch(child.pid) and _variable(child.pid, "RANK") is not None
    ]
    if ranks and _variable(pid, "RANK") is None:
        workers = {child.pid for rank in ranks for child in _children(rank)}
        return sorted(set(ranks) - workers)
    if not _has_torch(pid):
        # A shell or another wrapper: the nearest process below it that has torch.
        trained = [child.pid for child in children if _has_torch(child.pid)]
        return trained[:1] or [pid]
    return [pid]


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _describe(process: psutil.Process) -> TrainingProcess | None:
    try:
        if not _has_torch(process.pid):
            return None
        with process.oneshot():
            times, started = process.cpu_times(), process.create_time()
            age = max(1e-3, time.time() - started)
            return TrainingProcess(
                pid=process.pid,
                command=mask_command(process.cmdline()),
                user=process.username(),
                python=_python(process.pid),
                rank=_number(_variable(process.pid, "RANK")),
                world=_number(_variable(process.pid, "WORLD_SIZE")),
                run=_variable(process.pid, "SPIKELORE_RUN"),
                cpu=round((times.user + times.system) / age, 3),
                memory=process.memory_info().rss,
                started=started,
            )
    except (psutil.Error, OSError):
        return None


def _is_helper(pid: int, found: dict[int, TrainingProcess]) -> bool:
    """Whether a process with torch is a data-loading worker or a launcher of the others."""
    try:
        process = psutil.Process(pid)
        parent = process.parent()
        children = [child.pid for child in process.children(recursive=True) if child.pid in found]
    except psutil.Error:
        return True
    here = found[pid]
    launches = any(found[child].rank is not None for child in children) and here.rank is None
    above = found.get(parent.pid) if parent else None
    # A forked worker shares its parent's command line and rank.
    works_for = above is not None and above.command == here.command and above.rank == here.rank
    tracked = any("multiprocessing.resource_tracker" in word or "spawn_main" in word for word in here.command)
    return launches or works_for or (tracked and here.rank is None)


def _has_torch(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
            return any(name in line for line in maps for name in _TORCH_LIBRARIES)
    except OSError:
        return False


def _python(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def _variable(pid: int, name: str) -> str | None:
    return dict(environment(pid)).get(name)


def environment(pid: int) -> Iterator[tuple[str, str]]:
    """Yield the variables that a process was started with; none where they cannot be read."""
    try:
        content = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return
    for entry in content.split(b"\0"):
        name, sign, value = entry.decode(errors="replace").partition("=")
        if sign:
            yield name, value


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
