"""What the live screen says in words and numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

from rich.cells import cell_len
from textual.content import Content

from ...probes.evidence.rundir import Alarm
from .. import wording
from ..columns import EventNote
from ..follow import Moment
from ..language import tr
from ..numbers import number, percent, size
from ..widgets import runstate

DIM = "$foreground 60%"


def state_line(moment: Moment) -> Content:
    """Return state, step, epoch and speed in one line."""
    parts = [runstate.state(moment.state)]
    if moment.step is not None:
        parts.append(_pair("step", f"{moment.step:,}"))
    if moment.epoch is not None:
        parts.append(_pair("epoch", f"{moment.epoch:.2f}"))
    if moment.state == "running" and moment.rate == moment.rate:
        parts.append(_pair("steps/s", number(moment.rate, 3)))
    if moment.manifest.exit_code:
        parts.append(_pair("exit code", str(moment.manifest.exit_code)))
    if moment.loading is not None:
        parts.append(Content.styled(tr("reading {share}", share=percent(moment.loading)), "$warning"))
    if moment.damaged:
        parts.append(Content.styled(tr("{n} damaged lines", n=moment.damaged), "$warning"))
    return Content("   ").join(parts)


def _pair(name: str, value: str) -> Content:
    return Content.assemble((f"{tr(name)} ", DIM), (value, "bold"))


def banner(moment: Moment, width: int = 80) -> Content:
    """Return the alarm and the first suspicion, or that all is quiet; no more than fits ``width`` columns."""
    alarm = moment.alarm
    if alarm is None:
        text = tr("No alarm.") if moment.step is not None else tr("Waiting for the first step.")
        return Content.styled(text, DIM)
    lines = [_alarm(alarm)]
    diagnosis = moment.diagnosis
    if diagnosis and diagnosis.causes:
        cause = diagnosis.causes[0]
        lines.append(
            Content.assemble(
                (tr("Likely cause: "), DIM),
                (wording.cause_name(cause), "bold"),
                (f" {percent(cause.certainty)}", "bold $plot-alarm"),
            )
        )
        hint = tr("   d shows why and what to do")
        if lines[-1].cell_length + cell_len(hint) <= width:
            lines[-1] = Content.assemble(lines[-1], (hint, DIM))
    elif alarm.level == "alarm":
        lines.append(Content.styled(tr("Press d to find out why and what to do."), DIM))
    return Content("\n").join(lines)


def level_before(alarm: Alarm | None) -> float | None:
    """Return the loss before an alarm where it is a number."""
    before = alarm.before if alarm and alarm.series == "loss" else None
    return float(before) if isinstance(before, float | int) and math.isfinite(before) else None


def _alarm(alarm: Alarm) -> Content:
    if alarm.series != "loss":
        return Content.assemble((f"△ {tr('Early warning')}", "bold $plot-val"), "  ", alarm.reason)
    if alarm.level == "withdrawn":
        return Content.assemble((f"○ {tr('Alarm withdrawn')}", "bold"), "  ", alarm.reason)
    certain = alarm.level == "alarm"
    inner = [f"{tr('step {n}', n=f'{alarm.step:,}')}"]
    if alarm.epoch is not None:
        inner.append(tr("epoch {n}", n=int(alarm.epoch) + 1))
    if alarm.batch is not None:
        inner.append(tr("batch {n}", n=f"{alarm.batch:,}"))
    change = f"{number(alarm.before, 3)} → {number(alarm.after, 3)}"
    return Content.assemble(
        (
            f"▲ {tr('Loss spike')}" if certain else f"△ {tr('First bad batch')}",
            "bold $plot-alarm" if certain else "$plot-val",
        ),
        "  ",
        ", ".join(inner),
        "  ",
        (change, "bold"),
    )


_VALUES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("loss", "train", lambda value: number(value, 3)),
    ("val.loss", "validation", lambda value: number(value, 3)),
    ("grad.norm", "gradient", lambda value: number(value, 3)),
    ("lr", "rate", lambda value: number(value, 3)),
    ("val.accuracy", "accuracy", percent),
    ("gpu.temperature", "GPU", lambda value: f"{value:.0f} °C"),
    ("gpu.utilization", "busy", lambda value: f"{value:.0f} %"),
    ("gpu.memory", "GPU memory", size),
    ("process.rss", "memory", size),
)
"""Quantity, label and form of the newest values, the most wanted first."""

_ROUTINE = ("epoch.begin", "model", "loader", "scheduler", "mode", "environment", "rng.seeded")
"""Events that every run has."""


def latest(moment: Moment, width: int) -> Content:
    """Return the newest values, as many as fit; of several GPUs the highest value."""
    line = Content("")
    for name, label, form in _VALUES:
        values = [value for key, value in moment.latest.items() if key == name or key.startswith(f"{name}/")]
        if not values:
            continue
        item = _pair(label, form(max(values) if len(values) > 1 else values[0]))
        if line.cell_length + item.cell_length + 3 > width:
            break
        line = Content.assemble(line, "   " if line else "", item)
    return line


def events(moment: Moment, rows: int) -> Content:
    """Return the newest events that are no routine, one a line, the newest last."""
    told = [event for event in moment.events if _worth_telling(event)]
    lines = [
        Content.assemble((f"{event.step:>9,}  ", DIM), (event.name, "$primary"), f"  {_gist(event)}")
        for event in told[-max(rows - 1, 1) :]
    ]
    return Content("\n").join([Content.styled(tr("Events"), DIM), *lines]) if lines else Content("")


def _worth_telling(event: EventNote) -> bool:
    first = event.name == "optimizer" and event.data.get("first")
    return event.name not in _ROUTINE and not first and not event.name.endswith(".absent")


def _gist(event: EventNote) -> str:
    for key in ("path", "reason", "message", "error", "text", "restored"):
        if value := event.data.get(key):
            return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return " ".join(
        f"{key}={number(value)}" for key, value in event.data.items() if not isinstance(value, dict | list)
    )
