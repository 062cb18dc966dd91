"""The diagnosis: what `spikelore diagnose --json` prints and everything above the rules works with.

The structures mirror the published JSON one to one; texts for people are chosen by language before
they get here, so a diagnosis is a plain value.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import msgspec

Verdict: TypeAlias = Literal["spike", "pattern", "healthy", "insufficient"]
FactValue: TypeAlias = float | int | bool | str


class Level(msgspec.Struct):
    """A loss before and after the onset; non-finite values are text, as JSON has no notation for them."""

    before: float | str | None
    after: float | str | None
    ratio: float | str | None
    """None where the loss is negative or near zero and a ratio means nothing."""


class Spike(msgspec.Struct):
    """Where the loss jumped."""

    step: int | None
    epoch: float | None
    batch: int | None
    train: Level | None
    val: Level | None
    recovered: bool
    nonfinite: bool


class Moved(msgspec.Struct):
    """What had left its level before the loss jumped."""

    quantity: str
    step: int
    """Step at which it was certain, told from nothing after it."""
    lead: int
    """Steps from there to the first bad loss."""
    before: float
    after: float
    text: str = ""


class Because(msgspec.Struct):
    """One satisfied condition."""

    fact: str
    value: FactValue
    condition: str
    """For example ``>= 10``."""
    unit: str = ""
    meaning: str = ""
    window: tuple[int, int] | None = None
    """First and last step that the fact was computed on."""


class Fix(msgspec.Struct):
    """One thing to do, with this run's own numbers filled in."""

    id: str
    when: Literal["now", "for-good"]
    text: str
    code: str | None = None
    worked: int = 0
    tried: int = 0


class Cause(msgspec.Struct):
    """A cause that rules concluded, best first in a diagnosis."""

    id: str
    certainty: float
    role: Literal["root", "contributing"]
    rules: list[str]
    because: list[Because]
    fixes: list[Fix]
    title: str = ""
    summary: str = ""
    tied: list[str] = []
    """Causes that the evidence cannot tell from this one."""


class NotCause(msgspec.Struct):
    """A cause that was ruled out or lacks evidence."""

    id: str
    missing: list[str]
    """Conditions that failed or could not be judged, as sentences."""
    title: str = ""


class Similar(msgspec.Struct):
    """A past incident like this one."""

    incident: str
    score: float
    cause: str
    fix: str | None
    outcome: str | None
    agree: list[str] = []
    differ: list[str] = []


class Diagnosis(msgspec.Struct):
    """What happened in a run, why, and what to do."""

    run: str
    verdict: Verdict
    pattern: str | None = None
    spike: Spike | None = None
    causes: list[Cause] = []
    # "not" is a keyword, so the attribute is named otherwise.
    ruled_out: list[NotCause] = msgspec.field(name="not", default_factory=list)
    similar: list[Similar] = []
    schema: int = 1
    reason: str = ""
    """The verdict in one sentence."""
    needed: list[str] = []
    """Measurements that would decide, where the evidence does not."""
    precursors: list[Moved] = []
    """What moved before the loss did, the earliest first."""
    warnings: list[str] = []
    """What the recording could not see or lost."""
    facts: dict[str, FactValue] = {}
    lang: Literal["en", "zh"] = "en"

    def to_json(self) -> bytes:
        """Return the published JSON object; a value that is no finite number stands as its name."""
        return msgspec.json.format(msgspec.json.encode(_spelled(msgspec.to_builtins(self))), indent=2)

    @classmethod
    def from_json(cls, text: bytes | str) -> Diagnosis:
        """Read what `to_json` wrote.

        Raises:
            msgspec.DecodeError: it is not a diagnosis.
        """
        return msgspec.json.decode(text, type=cls)


def _spelled(value: Any) -> Any:
    """Name what JSON has no notation for: ``"nan"``, ``"inf"``, ``"-inf"``."""
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    if isinstance(value, dict):
        return {key: _spelled(item) for key, item in value.items()}
    return [_spelled(item) for item in value] if isinstance(value, list) else value
