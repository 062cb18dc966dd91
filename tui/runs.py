"""What the list of runs shows, found by reading a few samples of each run and never the whole of it."""

from __future__ import annotations

import math
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ..probes.evidence import EvidenceError, RunDirectory, RunManifest
from ..probes.evidence.rundir import Alarm
from .home import run_directories

POINTS = 48
"""Samples of the loss in a sparkline."""

_WINDOW = 1 << 14


@dataclass(frozen=True)
class RunSummary:
    """One row of the list.

    Attributes:
        state: ``running``, ``finished``, ``failed``, ``imported``, ``lost`` (its process is gone) or
            ``unreadable``.
        losses: up to `POINTS` samples of the training loss, evenly spread over the file.
        problem: why the run cannot be read, empty otherwise.
    """

    path: Path
    id: str
    name: str
    state: str
    created: float
    ended: float | None = None
    exit_code: int | None = None
    source: str = "probes"
    step: int | None = None
    epoch: float | None = None
    loss: float | None = None
    losses: list[float] = field(default_factory=list)
    alarm: Alarm | None = None
    problem: str = ""

    @property
    def live(self) -> bool:
        """The job is still running."""
        return self.state == "running"


class _Values(msgspec.Struct, frozen=True, gc=False):
    loss: float | str | None = None


class _Step(msgspec.Struct, tag_field="k", tag="step", gc=False):
    step: int
    epoch: float | None = None
    v: _Values = _Values()


_DECODER = msgspec.json.Decoder(_Step)


def summaries(*extra: Path) -> list[RunSummary]:
    """Return every run of the home folder and of ``extra`` folders: live ones first, then newest first."""
    rows = [summarize(run) for run in {run.path: run for run in run_directories(*extra)}.values()]
    return sorted(rows, key=lambda row: (not row.live, -row.created))


def summarize(run: RunDirectory) -> RunSummary:
    """Return one run's row; a run that cannot be read says why in ``problem``."""
    try:
        manifest = run.manifest()
        samples = _samples(run)
        alarm = foremost(run.alarms())
    except (EvidenceError, OSError) as error:
        return RunSummary(run.path, run.path.name, run.path.name, "unreadable", 0.0, problem=str(error))
    last = samples[-1] if samples else None
    return RunSummary(
        path=run.path,
        id=manifest.id,
        name=manifest.name or manifest.id,
        state=_state(manifest),
        created=manifest.created,
        ended=manifest.ended,
        exit_code=manifest.exit_code,
        source=manifest.source,
        step=last.step if last else None,
        epoch=last.epoch if last else None,
        loss=_loss(last) if last else None,
        losses=[value for value in map(_loss, _thin(samples)) if value is not None],
        alarm=alarm,
    )


def _state(manifest: RunManifest) -> str:
    if manifest.state != "running" or not manifest.pid or manifest.host not in ("", socket.gethostname()):
        return manifest.state
    # A launcher killed by kill -9 leaves "running" behind.
    return "running" if os.path.exists(f"/proc/{manifest.pid}") or _alive(manifest.pid) else "lost"


def current_state(run: RunDirectory) -> str:
    """Return the state of a run, ``unreadable`` where its manifest is."""
    try:
        return _state(run.manifest())
    except EvidenceError:
        return "unreadable"


def named(run: RunDirectory) -> str:
    """Return what people call a run."""
    try:
        manifest = run.manifest()
    except EvidenceError:
        return run.path.name
    return manifest.name or manifest.id


def _alive(pid: int) -> bool:
    import psutil

    return psutil.pid_exists(pid)


def foremost(alarms: list[Alarm]) -> Alarm | None:
    """Return the first certain alarm, else the latest withdrawn, else a warning, of the loss first."""
    certain = [alarm for alarm in alarms if alarm.level == "alarm"]
    withdrawn = [alarm for alarm in alarms if alarm.level == "withdrawn"]
    losses = [alarm for alarm in alarms if alarm.series == "loss"]
    chosen = certain[:1] or withdrawn[-1:] or losses[-1:] or alarms[-1:]
    return chosen[0] if chosen else None


def _loss(row: _Step) -> float | None:
    value = row.v.loss
    return None if value is None else float(value)


def _thin(rows: list[_Step]) -> list[_Step]:
    if len(rows) <= POINTS:
        return rows
    return [rows[round(i * (len(rows) - 1) / (POINTS - 1))] for i in range(POINTS)]


def _samples(run: RunDirectory) -> list[_Step]:
    """Return step records spread over the lowest rank's newest file, the last one included."""
    files = list(run.evidence_files())
    if not files:
        return []
    path = [path for rank, _, path in files if rank == files[0][0]][-1]
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size <= POINTS * _WINDOW:
            return _steps(stream.read())
        rows = []
        for index in range(POINTS):
            stream.seek(index * (size - _WINDOW) // (POINTS - 1))
            window = _steps(stream.read(_WINDOW))
            rows += window[-1:] if index == POINTS - 1 else window[:1]
        return rows


def _steps(block: bytes) -> list[_Step]:
    rows = []
    for line in block.split(b"\n"):
        if line.startswith(b'{"k":"step"') and line.endswith(b"}"):
            try:
                rows.append(_DECODER.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
    return rows


def span(summary: RunSummary, now: float) -> float:
    """Return how long the run took or has been running, in seconds; NaN where unknown."""
    if summary.created <= 0 or (not summary.live and summary.ended is None):
        return math.nan
    return (now if summary.live else summary.ended or now) - summary.created
