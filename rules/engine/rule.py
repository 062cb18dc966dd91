"""Rules as the engine sees them, and what an evaluation yields."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from ..documents.rule import RuleDocument
from ..facts.registry import FactSet
from .condition import Condition


@dataclass(frozen=True)
class Rule:
    """When every condition of ``when`` holds and none of ``unless``, ``conclusion`` is concluded.

    Attributes:
        conclusion: derived fact name, such as ``cause.strategy.lr-surge``.
        verdicts: findings that it applies to; None for all.
    """

    id: str
    conclusion: str
    certainty: float
    when: tuple[Condition, ...]
    unless: tuple[Condition, ...] = ()
    verdicts: frozenset[str] | None = None

    @classmethod
    def of(cls, document: RuleDocument) -> Rule:
        """Return the rule that a document states."""
        verdicts = document.verdicts
        if verdicts is None and document.cause is not None:
            verdicts = ["spike"]
        return cls(
            document.id,
            document.derived_fact,
            float(document.certainty),
            tuple(map(Condition.of, document.when)),
            tuple(map(Condition.of, document.unless)),
            None if verdicts is None else frozenset(verdicts),
        )

    @cached_property
    def facts(self) -> frozenset[str]:
        """Names of all facts that it reads."""
        return frozenset(condition.fact for condition in (*self.when, *self.unless))

    def applies_to(self, verdict: str) -> bool:
        """Tell whether the rule is meant for a finding."""
        return self.verdicts is None or verdict in self.verdicts


@dataclass(frozen=True)
class Firing:
    """A rule that fired; its certainty is the rule's times the lowest of the facts it used."""

    rule: str
    conclusion: str
    certainty: float


@dataclass(frozen=True)
class Outcome:
    """What an evaluation found.

    Attributes:
        facts: the facts given and every conclusion as a derived fact, its certainty as value.
        firings: rules that fired, by id.
        vetoed: rules whose ``when`` held, with the conditions of ``unless`` that forbade them.
    """

    facts: FactSet
    firings: dict[str, Firing] = field(default_factory=dict)
    vetoed: dict[str, tuple[Condition, ...]] = field(default_factory=dict)

    def certainty(self, conclusion: str) -> float:
        """Return the certainty of a derived fact, 0 when it was not concluded."""
        fired = [f for f in self.firings.values() if f.conclusion == conclusion]
        return combine(f.certainty for f in sorted(fired, key=lambda f: f.rule))


def combine(certainties: Iterable[float]) -> float:
    """Return the certainty of independent reasons together: a + b (1 - a), in the order given."""
    total = 0.0
    for certainty in certainties:
        total += certainty * (1.0 - total)
    return total
