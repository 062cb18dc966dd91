"""What differs between the run of an incident and a later run of the same job."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from .values import Case

if TYPE_CHECKING:
    from ..probes.evidence.reader import RunEvidence
    from .database import Reader
    from .tables import Run

_RATE_DROP = 0.9
_SWITCHES = (
    ("grad.clip_scaled", 0.0, "fix.unscale-before-clip", "Gradients are unscaled before they are clipped."),
    ("mode.train", 1.0, "fix.call-train", "The model is in training mode on every step."),
    ("grad.zeroed", 1.0, "fix.zero-gradients", "Gradients are cleared before every step."),
)
"""Quantity, its sound value, and what it means that it has this value now and had another before."""
VISIBLE = frozenset(
    ("fix.clip-gradients", "fix.lower-rate", "fix.use-bf16", *(fix for _, _, fix, _ in _SWITCHES))
)
"""Fixes whose trace the evidence of a run shows."""
_MOST_SETTINGS = 12


class Change(msgspec.Struct):
    """One difference, with the fix that it amounts to where that is known."""

    text: str
    fix: str = ""


def changes_between(reader: Reader, case: Case, run: RunEvidence, row: Run) -> list[Change]:
    """Return what the later run does differently, as far as evidence and manifests show."""
    before = _described(reader.value("SELECT settings FROM run WHERE id = ?", [case.run]))
    after = _described(row.settings)
    found = _clipping(case, run) + _learning_rate(case, run) + _switches(case, run)
    found += _settings(
        before.get("settings", {}), after.get("settings", {}), {change.fix for change in found}
    )
    return found + _code(before.get("git", {}), after.get("git", {}))


def _described(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(text or "{}")
    return found


def _clipping(case: Case, run: RunEvidence) -> list[Change]:
    calls = run.primary.series("grad.clip_calls").value
    before = any(value > 0 for value in _before(case, "grad.clip_calls"))
    if before or not len(calls) or not (calls > 0).any():
        return []
    norms = run.primary.series("grad.clip_max_norm").value
    limit = f" at {norms[-1]:g}" if len(norms) and math.isfinite(norms[-1]) else ""
    return [Change(f"Gradients are clipped{limit}.", "fix.clip-gradients")]


def _learning_rate(case: Case, run: RunEvidence) -> list[Change]:
    rates = _before(case, "lr")
    now = run.primary.series("lr").value
    if not rates or not len(now):
        return []
    before, after = max(rates), float(now.max())
    if not (math.isfinite(after) and after < _RATE_DROP * before):
        return []
    return [Change(f"Highest learning rate {before:g} → {after:g}.", "fix.lower-rate")]


def _switches(case: Case, run: RunEvidence) -> list[Change]:
    """Return what was on when it should be off, or off when it should be on, and is right now."""
    found = []
    for name, sound, fix, text in _SWITCHES:
        now = run.primary.series(name).value
        if len(now) and (now == sound).all() and any(v != sound for v in _before(case, name)):
            found.append(Change(text, fix))
    if _before(case, "amp.scale") and not len(run.primary.series("amp.scale")):
        found.append(Change("No loss scale is in use any more.", "fix.use-bf16"))
    return found


def _before(case: Case, name: str) -> list[float]:
    """Return a quantity round the incident."""
    column = case.window.columns.get(name) if case.window else None
    return [float(value) for value in column or [] if isinstance(value, float | int)]


def _settings(before: dict[str, Any], after: dict[str, Any], seen: set[str]) -> list[Change]:
    if not before:
        return []
    words = [
        f"{name} {before.get(name, 'unset')} → {after.get(name, 'unset')}"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    # Where a change of settings shows in evidence too, the evidence has told it already.
    if not words or (seen and all("lr" in word.split(" ")[0] or "clip" in word for word in words)):
        return []
    return [Change(f"Settings: {', '.join(words[:_MOST_SETTINGS])}.")]


def _code(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    old, new = before.get("commit"), after.get("commit")
    if old and new and old != new:
        return [Change(f"Code: commit {str(old)[:10]} → {str(new)[:10]}.")]
    if new and after.get("dirty") and not before.get("dirty"):
        return [Change(f"Code: uncommitted changes on {str(new)[:10]}.")]
    return []
