"""Following a run from a thread: what the live screen draws, taken from the columns as they grow."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np

from ..probes.evidence import EvidenceError, RunDirectory, RunManifest
from ..probes.evidence.rundir import Alarm
from ..rules.diagnosis import Diagnosis
from .columns import Columns, EventNote, Series
from .diagnosing import stamp, written
from .runs import current_state, foremost

PERIOD = 0.1
"""Seconds between two looks at a live run."""

SHOW_EVERY = 0.4
"""Seconds between two pictures while a long run is first read."""


@dataclass(frozen=True)
class Moment:
    """A run as it is now; arrays are views that never change.

    Attributes:
        latest: the newest value of every quantity, by name.
        loading: share read of a long run, None when all is read.
    """

    manifest: RunManifest
    state: str
    series: dict[str, Series]
    latest: dict[str, float]
    step: int | None
    epoch: float | None
    alarms: list[Alarm] = field(default_factory=list)
    events: list[EventNote] = field(default_factory=list)
    rate: float = math.nan
    """Steps a second over the last steps."""
    diagnosis: Diagnosis | None = None
    """The watcher's latest."""
    damaged: int = 0
    loading: float | None = None

    @property
    def extent(self) -> tuple[float, float] | None:
        """First and last step of anything recorded, None before the second step."""
        ends = [(float(one.step[0]), float(one.step[-1])) for one in self.series.values()]
        low, high = min((a for a, _ in ends), default=0.0), max((b for _, b in ends), default=0.0)
        return (low, high) if high > low else None

    @property
    def alarm(self) -> Alarm | None:
        """The alarm to be shown."""
        return foremost(self.alarms)


class Follower:
    """Reads a run and reports every change.

    Args:
        run: the run directory.
        report: takes each `Moment`, in the following thread.
    """

    def __init__(self, run: RunDirectory, report: Callable[[Moment], None]) -> None:
        self.run = run
        self.columns = Columns(run)
        self.stop = Event()
        self._report = report
        self._shown = 0.0
        self._small: tuple[object, ...] = ()
        self._known: tuple[int, Diagnosis | None] = (0, None)

    def follow(self) -> None:
        """Report until `stop` is set.

        Raises:
            EvidenceError: the run cannot be read at all.
        """
        self._show(self.columns.poll(self._progress))
        while not self.stop.wait(PERIOD):
            try:
                self._show(self.columns.poll())
            except (EvidenceError, OSError):
                # A directory that is away for a while comes back; the screen keeps what it has.
                continue

    def _progress(self) -> None:
        if self.stop.is_set():
            raise EvidenceError("reading was cancelled")
        now = time.monotonic()
        if now - self._shown > SHOW_EVERY:
            self._shown = now
            self._report(self.moment(loading=self.columns.progress()))

    def _show(self, count: int) -> None:
        paths = (self.run.manifest_path, self.run.alarms_path, self.run.diagnosis_path)
        small = (*map(_stamp, paths), current_state(self.run))
        if count or small != self._small:
            self._small = small
            self._report(self.moment())

    def _diagnosis(self) -> Diagnosis | None:
        latest = stamp(self.run)
        if latest != self._known[0]:
            self._known = (latest, written(self.run))
        return self._known[1]

    def moment(self, loading: float | None = None) -> Moment:
        """Return the run as far as it is read."""
        columns, manifest = self.columns, self.run.manifest()
        series, latest = {}, {}
        for kind, names in columns.names.items():
            for name in names:
                if len(found := columns.series(name, kind)):
                    series[name] = found
                    latest[name] = float(found.value[-1])
        steps, epochs = columns.clock("step"), columns.clock("epoch")
        return Moment(
            manifest=manifest,
            state=current_state(self.run),
            series=series,
            latest=latest,
            step=int(steps[-1]) if len(steps) else None,
            epoch=float(epochs[-1]) if len(epochs) and math.isfinite(epochs[-1]) else None,
            alarms=self.run.alarms(),
            events=list(columns.events),
            rate=_rate(columns.newest()),
            diagnosis=self._diagnosis(),
            damaged=columns.damaged,
            loading=loading,
        )


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _rate(newest: list[tuple[float, float]]) -> float:
    if len(newest) < 2:
        return math.nan
    (began, first), (ended, last) = newest[0], newest[-1]
    return (last - first) / (ended - began) if ended > began else math.nan


def by_epoch(series: Series) -> Series:
    """Return the mean of each epoch, placed at its last step; the series itself where epochs are unknown."""
    known = np.isfinite(series.epoch)
    if not known.any():
        return series
    whole = np.floor(series.epoch[known])
    starts = np.flatnonzero(np.r_[True, whole[1:] != whole[:-1]])
    counts = np.diff(np.r_[starts, len(whole)])
    values = np.add.reduceat(series.value[known], starts) / counts
    last = starts + counts - 1
    return Series(series.step[known][last], values, series.epoch[known][last])


LEVEL_POINTS = 64
"""Values before an alarm whose median is the level that it is compared with, as many as the detector's."""


def of_quantity(name: str, series: dict[str, Series]) -> dict[str, Series]:
    """Return the series of a quantity by name: itself, or one for each device (``gpu.memory/0``, ...)."""
    return {key: one for key, one in series.items() if key == name or key.startswith(f"{name}/")}


def window_before(series: Series | None, step: float | None) -> tuple[float, float] | None:
    """Return first and last step of the values that `median_before` takes, None where there are none."""
    end = 0 if series is None or step is None else int(np.searchsorted(series.step, step))
    if series is None or not end:
        return None
    return float(series.step[max(end - LEVEL_POINTS, 0)]), float(series.step[end - 1])


def median_before(series: Series, step: float | None) -> float | None:
    """Return the median of the last values before a step, None where there is no step or nothing before."""
    if step is None:
        return None
    end = int(np.searchsorted(series.step, step))
    before = series.value[max(end - LEVEL_POINTS, 0) : end]
    before = before[np.isfinite(before)]
    return float(np.median(before)) if len(before) else None
