"""Processes of this machine that have PyTorch loaded, and which of them are recorded already."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil

from ..probes.evidence import EvidenceError
from .home import run_directories


class Process(msgspec.Struct):
    """One training process, or what looks like one."""

    pid: int
    command: str
    user: str
    started: float
    """Unix time in seconds."""
    cpu_seconds: float
    memory: int
    """Resident bytes."""
    mine: bool
    """Whether it belongs to this user, who may attach to it."""
    run: str = ""
    """Path of the run that records it, empty where none does."""


def torch_processes() -> list[Process]:
    """Return processes with PyTorch loaded, the newest first; those of others only where they can be seen."""
    recorded = dict(_recorded())
    found = [row for process in psutil.process_iter() if (row := _describe(process, recorded))]
    return sorted(found, key=lambda row: -row.started)


def _recorded() -> Iterator[tuple[int, str]]:
    for run in run_directories():
        try:
            manifest = run.manifest()
        except EvidenceError:
            continue
        if manifest.state == "running" and manifest.pid:
            yield manifest.pid, str(run.path)


def _describe(process: psutil.Process, recorded: dict[int, str]) -> Process | None:
    try:
        if not _has_torch(process):
            return None
        with process.oneshot():
            times = process.cpu_times()
            parents = [process.pid, *(parent.pid for parent in process.parents())]
            return Process(
                pid=process.pid,
                command=" ".join(" ".join(process.cmdline()).split()),
                user=process.username(),
                started=process.create_time(),
                cpu_seconds=times.user + times.system,
                memory=process.memory_info().rss,
                mine=_is_mine(process),
                run=next((recorded[pid] for pid in parents if pid in recorded), ""),
            )
    except (psutil.Error, OSError):
        return None


def _has_torch(process: psutil.Process) -> bool:
    maps = Path(f"/proc/{process.pid}/maps")
    if maps.exists():
        return "libtorch" in maps.read_text(errors="replace")
    return any("libtorch" in entry.path for entry in process.memory_maps())


def _is_mine(process: psutil.Process) -> bool:
    me = psutil.Process().uids().real
    return bool(me in {0, process.uids().real})
