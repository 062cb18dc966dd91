"""Runs the cases that rules carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .diagnosis import FactValue
from .documents import RuleDocument
from .documents.rule import GivenFact, TestDocument
from .engine import Engine, Rule
from .facts.registry import Fact, FactSet
from .given import facts_from
from .rulebase import RuleBase


@dataclass(frozen=True)
class CaseResult:
    """One case of a rule.

    Attributes:
        problem: what was otherwise than the case says; empty when it passed.
    """

    rule: str
    name: str
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether the rule did what the case says."""
        return not self.problem


def run_cases(base: RuleBase, identifier: str | None = None) -> Iterator[CaseResult]:
    """Run the cases of one rule, or of all.

    Raises:
        KeyError: there is no such rule.
        EngineUnavailableError: the rules engine does not load in this Python.
    """
    rules = base.rules.values() if identifier is None else [base.rules[identifier]]
    for document in rules:
        for case in document.tests:
            yield CaseResult(document.id, case.name, _problem(base, document, case))


def _problem(base: RuleBase, document: RuleDocument, case: TestDocument) -> str:
    others = [base.rules[case.like]] if case.like in base.rules else []
    computed, verdict = facts_from(case.series) if case.series else (FactSet(), _applies_to(document))
    facts = computed.with_facts(given_fact(name, given) for name, given in case.facts.items())
    outcome = Engine([Rule.of(each) for each in (document, *others)]).evaluate(facts, verdict)
    fired = outcome.firings.get(document.id)
    if (fired is not None) != case.fires:
        return f"{'fires' if fired else 'does not fire'}, but the case says otherwise"
    if fired is not None and case.certainty is not None and abs(fired.certainty - case.certainty) > 1e-6:
        return f"certainty is {fired.certainty:g}; the case says {case.certainty:g}"
    if case.like is not None and case.like not in outcome.firings:
        return f"{case.like} does not fire on these facts, so they are no look-alike"
    return ""


def _applies_to(document: RuleDocument) -> str:
    """Return the finding under which a case without a curve is judged: a spike where the rule allows it."""
    verdicts = document.verdicts
    return "spike" if not verdicts or "spike" in verdicts else verdicts[0]


def given_fact(name: str, given: FactValue | GivenFact) -> Fact:
    """Return the fact that a case gives, by its value alone or with its certainty."""
    if isinstance(given, GivenFact):
        return Fact(name, given.value, None, given.certainty)
    return Fact(name, given)
