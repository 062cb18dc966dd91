"""The stretch of evidence round an onset that is kept with an incident."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from . import fingerprint
from .values import Case, Loss, Window, spell

if TYPE_CHECKING:
    from ..probes.evidence.reader import RankEvidence, RunEvidence
    from ..rules.diagnosis import Spike

BEFORE, AFTER = 120, 160
"""Steps kept before and after the onset: enough to see the level before, the jump and whether it stays."""
_MOST_COLUMNS = 48
_FIRST = (
    "loss", "val.loss", "grad.norm", "lr", "update.ratio", "weight.norm", "batch.mean", "batch.std",
    "batch.min", "batch.max", "batch.nonfinite", "label.mean", "output.accuracy", "output.max", "amp.scale",
    "mode.train", "grad.clip_calls", "grad.clip_scaled", "grad.zeroed",
)  # fmt: skip


def window_of(run: RunEvidence, spike: Spike | None) -> Window | None:
    """Return the scalar quantities of the lowest rank round the onset, None where there are no steps."""
    rank = run.primary
    if spike is None or spike.step is None or not rank.steps:
        return None
    steps = [record.step for record in rank.steps]
    at = bisect_left(steps, spike.step)
    kept = rank.steps[max(0, at - BEFORE) : at + AFTER]
    if not kept:
        return None
    names = _chosen({name for record in kept for name, value in record.v.items() if _is_number(value)})
    columns: dict[str, list[Loss]] = {
        name: [_loss(record.v.get(name)) for record in kept] for name in names if name != "val.loss"
    }
    window = Window([record.step for record in kept], columns)
    _add_validation(rank, window)
    return window


def _chosen(names: set[str]) -> list[str]:
    """Return the quantities to keep: the well-known first, then the totals, then the per-module ones."""
    rest = sorted(names - set(_FIRST), key=lambda name: ("/" in name, name))
    return [*(name for name in _FIRST if name in names), *rest][:_MOST_COLUMNS]


def _is_number(value: object) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _loss(value: object) -> Loss:
    return spell(float(value)) if isinstance(value, float | int) else None


def _add_validation(rank: RankEvidence, window: Window) -> None:
    """Put each validation loss on the row of the step that it followed."""
    column: list[Loss] = [None] * len(window.step)
    for record in rank.evals:
        row = bisect_left(window.step, record.step)
        if window.step[0] <= record.step <= window.step[-1] and row < len(column):
            column[row] = _loss(record.v.get("val.loss"))
    if any(value is not None for value in column):
        window.columns["val.loss"] = column


def shape_of(run: RunEvidence, spike: Spike | None) -> bytes:
    """Return the shape of the loss round the onset for the fingerprint; empty where there is none."""
    if (
        spike is None
        or spike.step is None
        or spike.train is None
        or not isinstance(spike.train.before, float)
    ):
        return b""
    series = run.primary.series("loss")
    reach = fingerprint.STRIDE * (fingerprint.BEFORE + fingerprint.AFTER)
    part = series.between(spike.step - reach, spike.step + reach)
    return fingerprint.shape(part.step.tolist(), part.value.tolist(), spike.step, spike.train.before)


def shape_of_case(case: Case) -> bytes:
    """Return the shape of a case that came without, from its window; empty where there is none."""
    window = case.window
    if window is None or case.step is None or not isinstance(case.train_before, float):
        return b""
    points = [
        (step, float(loss))
        for step, loss in zip(window.step, window.columns.get("loss", []), strict=False)
        if loss is not None
    ]
    steps, losses = [step for step, _ in points], [loss for _, loss in points]
    return fingerprint.shape(steps, losses, case.step, case.train_before) if points else b""
