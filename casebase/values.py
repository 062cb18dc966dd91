"""What the case library hands out: plain values, free of the database they came from.

Losses follow the diagnosis: a number, ``"nan"``, ``"inf"`` or ``"-inf"`` where it was none, None where
it is unknown. Times are Unix seconds.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import msgspec

from ..rules.diagnosis import Diagnosis, FactValue

State: TypeAlias = Literal["open", "resolved"]
Outcome: TypeAlias = Literal["worked", "failed", "unknown"]
Loss: TypeAlias = float | str | None

FAMILIES = ("data", "model", "strategy", "numerics", "environment")
OUTCOMES: tuple[Outcome, ...] = ("worked", "failed", "unknown")


class FixTried(msgspec.Struct, omit_defaults=True):
    """One attempt at a fix and what came of it."""

    fix: str = ""
    """Fix id such as ``fix.clip-gradients``; empty where ``text`` alone says what was done."""
    outcome: Outcome = "unknown"
    before: Loss = None
    """Training loss at the spike."""
    after: Loss = None
    """Training loss once the fix was in."""
    text: str = ""
    by: str = ""
    """Who tried it."""
    run: str = ""
    """The later run that showed the outcome."""
    decided: Literal["person", "run", "starter"] = "person"
    """A person's word stands against what a later run seems to show."""
    created: float = 0.0
    id: str = ""


class Note(msgspec.Struct, omit_defaults=True):
    """What somebody wrote about an incident."""

    text: str
    by: str = ""
    created: float = 0.0
    id: str = ""


class Attachment(msgspec.Struct, omit_defaults=True):
    """A file kept with an incident; the content is read apart."""

    name: str
    media: str
    size: int
    """Bytes."""
    sha256: str
    created: float = 0.0


class Window(msgspec.Struct, omit_defaults=True):
    """Columns of evidence round the onset."""

    step: list[int]
    columns: dict[str, list[Loss]]
    """One value per step; None where a step has none."""


class Brief(msgspec.Struct, kw_only=True):
    """An incident in one line; the fields are the columns of the incident table."""

    id: str = ""
    """Content id; empty on a case that is yet to be added."""
    state: State = "open"
    title: str = ""
    title_zh: str = ""
    summary: str = ""
    summary_zh: str = ""
    run: str = ""
    """Id of the run, empty for one written by hand."""
    lineage: str = ""
    """Key of the job that the run belongs to."""
    step: int | None = None
    epoch: float | None = None
    batch: int | None = None
    train_before: Loss = None
    train_after: Loss = None
    val_before: Loss = None
    val_after: Loss = None
    verdict: str = "spike"
    pattern: str | None = None
    nonfinite: bool = False
    recovered: bool = False
    predicted: str = ""
    """Cause that the rules put first."""
    certainty: float | None = None
    confirmed: str = ""
    """Cause that a person confirmed."""
    project: str = ""
    framework: str = ""
    model_type: str = ""
    host: str = ""
    """Masked: enough to tell machines apart, not to name them."""
    source: str = "probes"
    """``probes``, ``hand``, ``starter`` or the importer."""
    reference: str = ""
    """Public address."""
    created: float = 0.0
    updated: float = 0.0
    resolved: float | None = None
    resolved_by: str = ""

    @property
    def cause(self) -> str:
        """The confirmed cause, else the predicted one, else nothing."""
        return self.confirmed or self.predicted

    @property
    def family(self) -> str:
        """Family of the cause, such as ``data``."""
        return self.cause.partition(".")[0]


class Case(Brief, kw_only=True):
    """An incident with everything known about it."""

    fixes: list[FixTried] = []
    notes: list[Note] = []
    tags: list[str] = []
    attachments: list[Attachment] = []
    facts: dict[str, FactValue] = {}
    diagnosis: Diagnosis | None = None
    window: Window | None = None


class Told(msgspec.Struct, frozen=True):
    """What is known of an incident besides its diagnosis."""

    model: str = ""
    """Class of the model, where the settings name none."""
    cause: dict[str, str] = {}
    """Title of the first cause by language; the diagnosis has it in one."""


class Filters(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Which incidents are wanted; what is empty does not restrict."""

    cause: str = ""
    family: str = ""
    state: str = ""
    project: str = ""
    framework: str = ""
    model_type: str = ""
    tag: str = ""
    outcome: str = ""
    """Some fix of the incident had this outcome."""
    fix: str = ""
    """This fix was tried on it."""
    source: str = ""
    lineage: str = ""
    run: str = ""
    since: float | None = None
    """Created at this time or later."""
    until: float | None = None
    """Created before this time."""


class Hit(msgspec.Struct):
    """One result of a search."""

    case: Brief
    score: float
    """Share of the query that the case answers, 0 to 1."""
    snippet: str
    marks: list[tuple[int, int]] = []
    """Where the query's words stand in the snippet, as [start, end)."""
    fixes: list[FixTried] = []
    """What was tried on it."""


class FixRecord(msgspec.Struct):
    """How a fix did over many incidents."""

    fix: str
    worked: int
    tried: int
    """Attempts with a known outcome."""
    bound: float
    """Lower end of the 95 % interval of the success rate."""


class CauseCount(msgspec.Struct):
    """How often a cause was seen."""

    cause: str
    incidents: int
    resolved: int


class Recurring(msgspec.Struct):
    """A job that met the same cause more than once."""

    lineage: str
    cause: str
    incidents: int
    project: str


class Statistics(msgspec.Struct):
    """The library in figures."""

    incidents: int
    open: int
    resolved: int
    starter: int
    median_resolution: float | None
    """Seconds from opening to resolving; of watched runs only, as the rest is written down afterwards."""
    confirmed_right: int
    """Resolved incidents whose confirmed cause is the predicted one."""
    confirmed: int
    """Resolved incidents with both a confirmed and a predicted cause."""
    causes: list[CauseCount]
    fixes: list[FixRecord]
    recurring: list[Recurring]


def spelled(value: Any) -> Any:
    """Return built-in values with every non-finite number in them named, as JSON has no notation for it."""
    if isinstance(value, float):
        return spell(value)
    if isinstance(value, dict):
        return {key: spelled(item) for key, item in value.items()}
    return [spelled(item) for item in value] if isinstance(value, list) else value


def spell(value: float | str | None) -> Loss:
    """Return a loss as it travels: a finite number, or the name of what it is instead."""
    if isinstance(value, str):
        return value if value in ("nan", "inf", "-inf") else None
    if value is None or math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
