"""Sentences about a diagnosis that the report and the screens share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..rules.diagnosis import Because, Cause, Diagnosis, Fix, Level, Spike
from .language import current, tr
from .numbers import number, percent, times

if TYPE_CHECKING:
    from ..casebase.values import Brief

VERDICTS = {
    "spike": "Loss spike",
    "pattern": "Not a spike",
    "healthy": "Healthy",
    "insufficient": "Too little evidence",
}


def place(spike: Spike) -> str:
    """Return where the loss jumped: ``step 1,042 (epoch 5, batch 17)``."""
    inner = []
    if spike.epoch is not None:
        # Records count finished epochs; people count from one.
        inner.append(tr("epoch {n}", n=int(spike.epoch) + 1))
    if spike.batch is not None:
        inner.append(tr("batch {n}", n=f"{spike.batch:,}"))
    step = tr("step {n}", n=f"{spike.step:,}") if spike.step is not None else ""
    if step and inner:
        return f"{step} ({', '.join(inner)})"
    return step or ", ".join(inner) or tr("an unknown step")


def levels(level: Level | None) -> str:
    """Return ``0.31 → 4.8 (15x)``, or nothing where the loss is unknown."""
    if level is None:
        return ""
    ratio = f" ({times(level.ratio)})" if level.ratio is not None else ""
    return f"{number(level.before, 3)} → {number(level.after, 3)}{ratio}"


def headline(diagnosis: Diagnosis) -> str:
    """Return what happened in one sentence."""
    spike = diagnosis.spike
    if diagnosis.verdict != "spike" or spike is None:
        return diagnosis.reason or tr(VERDICTS[diagnosis.verdict])
    parts = [tr(_what_happened(spike), place=place(spike))]
    if spike.train:
        parts.append(tr("training {levels}", levels=levels(spike.train)))
    if spike.val:
        parts.append(tr("validation {levels}", levels=levels(spike.val)))
    end = tr("and recovered") if spike.recovered else tr("and has not recovered")
    change = tr(", ").join(parts[1:])
    return parts[0] + (tr(": ") + change if change else "") + tr(", ") + end + tr(".")


def _what_happened(spike: Spike) -> str:
    if not spike.nonfinite:
        return "The loss jumped at {place}"
    level = spike.train or spike.val
    # Levels that are no numbers are text.
    if level is not None and isinstance(level.after, float | int):
        return "The loss jumped at {place} and stopped being a number later"
    return "The loss stopped being a number at {place}"


def cause_name(cause: Cause) -> str:
    """Return a cause's title, or its id made readable where a rule base gives none."""
    return cause.title or readable(cause.id)


def readable(identifier: str) -> str:
    """Return ``Loading error`` for ``data.loading-error``."""
    words = identifier.rpartition(".")[2].replace("-", " ")
    return words[:1].upper() + words[1:]


def family(identifier: str) -> str:
    """Return the family of a cause, ``data`` for ``data.loading-error``."""
    return identifier.partition(".")[0]


_UNITS = {"": "", "1": "", "bool": "", "x": "x", "L2": "", "C": " °C", "sigma": " std", "std": " std"}
"""How units look behind a number; a norm needs none beside its fact's name."""

_VALUES: dict[str, bool | str] = {"": "", '""': "", "true": True, "false": False}
"""Values of conditions that are better read as words."""


def measured(because: Because) -> str:
    """Return a fact's value with its unit."""
    if because.value == "" or isinstance(because.value, bool):
        return _word(because.value)
    text, unit = number(because.value), _UNITS.get(because.unit, f" {because.unit}")
    # English counts one step, not one steps; Chinese makes no difference.
    return f"{text}{unit[:-1] if text == '1' and unit.endswith('s') else unit}".rstrip()


def demanded(because: Because) -> str:
    """Return a fact's condition."""
    sign, _, value = because.condition.strip().partition(" ")
    if value in _VALUES:
        value = _word(_VALUES[value])
    return f"{sign} {value}"


def _word(value: bool | str) -> str:
    """Return yes, no, or that a text is empty, which is a value like any other and must be seen."""
    if value == "":
        return tr("none")
    return tr("yes") if value else tr("no")


def window(because: Because) -> str:
    """Return the steps that a fact was computed on, nothing where unknown."""
    if because.window is None:
        return ""
    first, last = because.window
    return f"{first:,}" if first == last else f"{first:,}-{last:,}"


def record(fix: Fix) -> str:
    """Return how a fix did in past incidents."""
    if not fix.tried:
        return tr("not tried yet")
    return tr("worked {worked} of {tried}", worked=fix.worked, tried=fix.tried)


def certainty(cause: Cause) -> str:
    """Return a cause's certainty as a percentage."""
    return percent(cause.certainty)


def case_title(case: Brief) -> str:
    """Return a case's title in the user's language."""
    chosen = case.title_zh if current() == "zh" and case.title_zh else case.title
    return chosen or case.title_zh or readable(case.cause) or case.id
