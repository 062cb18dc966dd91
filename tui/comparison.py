"""Runs side by side: their curves on one axis, and everything in which they differ."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..probes.evidence import RunDirectory, RunManifest
from ..probes.evidence.rundir import Alarm
from .columns import Columns, Series
from .language import tr
from .numbers import number
from .widgets.drawing import Line

MOST = 4
"""Runs that are still told apart in one plot."""

KINDS = ("train", "val", "gradient", "rate")

QUANTITIES = (
    ("loss", "step", "training loss"),
    ("val.loss", "eval", "validation loss"),
    ("grad.norm", "step", "gradient norm"),
    ("lr", "step", "learning rate"),
    ("update.ratio", "step", "update ratio"),
)
"""Quantity, kind of record, title."""

ALIGNMENTS = ("step", "epoch", "alarm")
"""What is laid over one another: the same step, the same epoch, or the alarms."""

_SETTINGS_EVENTS = ("model", "optimizer", "scheduler", "loader")


@dataclass(frozen=True)
class Subject:
    """One of the runs, read whole."""

    name: str
    manifest: RunManifest
    columns: Columns
    alarm: Alarm | None


def read(runs: Sequence[RunDirectory], pause: Callable[[], None] | None = None) -> list[Subject]:
    """Read up to `MOST` runs.

    Raises:
        EvidenceError: one cannot be read.
    """
    found = []
    for run in runs[:MOST]:
        columns = Columns(run)
        columns.poll(pause)
        manifest = run.manifest()
        certain = [alarm for alarm in run.alarms() if alarm.level == "alarm"]
        found.append(
            Subject(manifest.name or manifest.id, manifest, columns, certain[0] if certain else None)
        )
    return found


def lines(subjects: Sequence[Subject], quantity: str, kind: str, alignment: str) -> list[Line]:
    """Return one line a run, laid over one another as asked."""
    return [
        Line(subject.name, colour, *_aligned(subject, subject.columns.series(quantity, kind), alignment))
        for subject, colour in zip(subjects, KINDS, strict=False)
    ]


def _aligned(subject: Subject, series: Series, alignment: str) -> tuple[Any, Any]:
    if alignment == "epoch" and len(series) and np.isfinite(series.epoch).any():
        known = np.isfinite(series.epoch)
        return series.epoch[known], series.value[known]
    if alignment == "alarm" and subject.alarm:
        return series.step - subject.alarm.step, series.value
    return series.step, series.value


def differences(subjects: Sequence[Subject], everything: bool = False) -> dict[str, list[str]]:
    """Return property -> its value in each run, only those that differ unless ``everything`` is wanted."""
    described = [_describe(subject) for subject in subjects]
    names = dict.fromkeys(name for properties in described for name in properties)
    rows = {name: [properties.get(name, "-") for properties in described] for name in names}
    return {name: values for name, values in rows.items() if everything or len(set(values)) > 1}


def _describe(subject: Subject) -> dict[str, str]:
    manifest = subject.manifest
    found: dict[str, Any] = {tr("lowest loss"): _lowest(subject), tr("alarm"): _where(subject.alarm)}
    found |= {f"{tr('setting')} {name}": value for name, value in manifest.settings.items()}
    found |= {
        f"git {name}": value for name, value in manifest.git.items() if not isinstance(value, dict | list)
    }
    found |= {f"{tr('version')} {name}": value for name, value in manifest.versions.items()}
    found |= {tr("command"): shlex.join(manifest.command), tr("host"): manifest.host}
    found[tr("ranks")] = manifest.world_size
    for event in subject.columns.events:
        if event.name in _SETTINGS_EVENTS:
            found |= {f"{event.name} {name}": value for name, value in _flat(event.data)}
    return {name: value if isinstance(value, str) else number(value) for name, value in found.items()}


def _flat(data: dict[str, Any]) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in data.items():
        if isinstance(value, dict):
            rows += [
                (f"{name}.{inner}", deep)
                for inner, deep in value.items()
                if not isinstance(deep, dict | list)
            ]
        elif isinstance(value, list):
            rows.append((name, f"{len(value)}"))
        else:
            rows.append((name, value))
    return rows


def _lowest(subject: Subject) -> float | None:
    values = subject.columns.series("loss").value
    finite = values[np.isfinite(values)]
    return float(finite.min()) if len(finite) else None


def _where(alarm: Alarm | None) -> str:
    if alarm is None:
        return tr("none")
    known = alarm.epoch is not None and not math.isnan(alarm.epoch)
    epoch = f", {tr('epoch {n}', n=int(alarm.epoch or 0) + 1)}" if known else ""
    return f"{tr('step {n}', n=f'{alarm.step:,}')}{epoch}"
