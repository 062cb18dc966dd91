"""The rule document: one YAML file that documents, tests and proves itself."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints, model_validator
from typing_extensions import Self

from ..diagnosis import FactValue
from .fields import (
    CAUSE_ID,
    OPERATORS,
    PATTERN_ID,
    RULE_ID,
    SYMPTOM_ID,
    Both,
    Document,
    Line,
    Number,
    Operator,
    Prose,
    Scalar,
    Share,
)

MAX_FACTS = 16
"""Facts that one rule may combine: the engine joins no more."""
MAX_ALTERNATIVES = 64
"""Combinations of ``in`` values in one rule, and values in its ``unless``: each becomes a rule of the engine,
which hangs on more than 511 that compare one fact."""

RuleId: TypeAlias = Annotated[str, StringConstraints(pattern=RULE_ID, max_length=80)]
CauseId: TypeAlias = Annotated[str, StringConstraints(pattern=CAUSE_ID, max_length=80)]
SymptomId: TypeAlias = Annotated[str, StringConstraints(pattern=SYMPTOM_ID, max_length=80)]
PatternId: TypeAlias = Annotated[str, StringConstraints(pattern=PATTERN_ID, max_length=80)]
FactName: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=120)]


_OPERATOR_OF: dict[str, Operator] = {"in_" if op == "in" else op: op for op in OPERATORS}


class ConditionDocument(Document):
    """One comparison: a fact and exactly one of the operators."""

    fact: FactName
    gt: Number | None = None
    ge: Number | None = None
    lt: Number | None = None
    le: Number | None = None
    eq: Scalar | None = None
    ne: Scalar | None = None
    in_: Annotated[list[Scalar], Field(min_length=1, max_length=20)] | None = Field(None, alias="in")

    @model_validator(mode="after")
    def _one_operator(self) -> Self:
        given = self.model_fields_set
        if len(given) != 2:
            names = [name.rstrip("_") for name in type(self).model_fields if name in given]
            stands = " and ".join(names[1:]) or "none"
            raise ValueError(
                f"a condition has exactly one operator of {', '.join(OPERATORS)}; here: {stands}"
            )
        if self.operand is None:
            raise ValueError(f"{self.operator} has no value; valid is a number, true, false or a text")
        return self

    @cached_property
    def operator(self) -> Operator:
        """The operator."""
        one, other = self.model_fields_set
        return _OPERATOR_OF[other if one == "fact" else one]

    @property
    def operand(self) -> FactValue | list[FactValue]:
        """What the fact is compared with; a list for ``in``."""
        operator = self.operator
        operand: FactValue | list[FactValue] = getattr(self, "in_" if operator == "in" else operator)
        return operand


class GivenFact(Document):
    """A fact of a test with its certainty."""

    value: Scalar
    certainty: Share = 1.0


class TestDocument(Document):
    """One case that a rule carries: facts, or curves that facts are computed from, and what must happen."""

    # Not a test of pytest, whatever its name looks like.
    __test__ = False

    name: Line
    facts: dict[FactName, Scalar | GivenFact] = Field(default_factory=dict)
    series: dict[FactName, Line] = Field(default_factory=dict)
    """Evidence by name in shorthand: ``2.3-0.1x18 0.5x40 5.8x20``."""
    fires: bool
    certainty: Share | None = None
    """Certainty that this rule alone gives its conclusion; compared to 1e-6."""
    like: RuleId | None = None
    """The related rule that must fire on these facts while this one stays silent."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.like is not None and self.fires:
            raise ValueError("a look-alike test (like:) must have fires: false")
        if self.certainty is not None and not self.fires:
            raise ValueError("certainty can be tested only where fires is true")
        return self


class RuleDocument(Document):
    """When some facts hold, a cause, a symptom or a pattern is concluded with a certainty."""

    id: RuleId
    title: Both
    status: Literal["draft", "test", "stable"]
    cause: CauseId | None = None
    symptom: SymptomId | None = None
    pattern: PatternId | None = None
    role: Literal["root", "contributing"] = "root"
    certainty: Annotated[Share, Field(gt=0.0)]
    summary: Both
    why: Both
    when: Annotated[list[ConditionDocument], Field(min_length=1, max_length=2 * MAX_FACTS)]
    unless: list[ConditionDocument] = Field(default_factory=list, max_length=2 * MAX_FACTS)
    explains: list[CauseId | SymptomId] = Field(default_factory=list)
    """Conclusions that follow from this one: beside it they are contributing, not root."""
    verdicts: list[PatternId | Literal["spike", "healthy", "insufficient"]] | None = None
    """Findings that the rule applies to; for a cause by default only a spike (NaN included), else all."""
    references: list[Line] = Field(default_factory=list)
    falsepositives: list[Both] = Field(default_factory=list)
    related: list[RuleId] = Field(default_factory=list)
    recorded: list[Line] = Field(default_factory=list)
    """Recorded runs that prove the rule; ``stable`` needs at least one."""
    tests: list[TestDocument] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        given = [x for x in (self.cause, self.symptom, self.pattern) if x is not None]
        if len(given) != 1:
            raise ValueError("a rule concludes exactly one of cause, symptom, pattern")
        if len({condition.fact for condition in self.when}) > MAX_FACTS:
            raise ValueError(f"when combines more than {MAX_FACTS} facts")
        combinations = 1
        for condition in self.when:
            combinations *= len(condition.in_ or [0])
        if combinations > MAX_ALTERNATIVES:
            raise ValueError(
                f"the in lists make {combinations} combinations; valid is up to {MAX_ALTERNATIVES}"
            )
        values = sum(len(condition.in_ or [0]) for condition in self.unless)
        if values > MAX_ALTERNATIVES:
            raise ValueError(f"unless compares with {values} values; valid is up to {MAX_ALTERNATIVES}")
        return self

    @property
    def conclusion(self) -> str:
        """Id of the cause, symptom or pattern."""
        return self.cause or self.symptom or self.pattern or ""

    @property
    def derived_fact(self) -> str:
        """Name under which later rules see the conclusion; its value is the certainty."""
        return derived_name(self.conclusion)


class DisabledDocument(Document):
    """Stands in for a rule, cause or fix of the same id that is to be switched off."""

    id: FactName
    disabled: Literal[True]
    why: Prose = "switched off"


def derived_name(conclusion: str) -> str:
    """Return the fact name of a conclusion: ``cause.model.x``, ``symptom.x`` or ``pattern.x``."""
    return conclusion if conclusion.startswith(("symptom.", "pattern.")) else f"cause.{conclusion}"
