"""The proof of a conclusion: the conditions that held, with the facts that satisfied them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from ..diagnosis import Because, FactValue
from ..documents.checking import is_derived
from ..engine import Condition, Firing, Outcome
from ..engine.condition import show
from ..facts.registry import specs
from ..rulebase import RuleBase
from .wording import Lang


def because(firings: Iterable[Firing], outcome: Outcome, base: RuleBase, lang: Lang) -> list[Because]:
    """Return the satisfied conditions of rules, each once.

    A condition on the conclusion of other rules is followed by what satisfied those.
    """
    proof: dict[tuple[str, str], Because] = {}
    for condition in _conditions([firing.rule for firing in firings], outcome, base):
        fact = outcome.facts[condition.fact]
        spec = specs().get(condition.fact)
        proof.setdefault(
            (condition.fact, condition.text),
            Because(
                fact=condition.fact,
                value=publishable(fact.value),
                condition=condition.text,
                unit=spec.unit if spec else "",
                meaning=spec.explain(lang) if spec else conclusion_title(condition.fact, base, lang),
                window=fact.window,
            ),
        )
    return list(proof.values())


def _conditions(rules: Iterable[str], outcome: Outcome, base: RuleBase) -> Iterator[Condition]:
    for name in rules:
        for document in base.rules[name].when:
            condition = Condition.of(document)
            yield condition
            if is_derived(condition.fact):
                below = [f.rule for f in outcome.firings.values() if f.conclusion == condition.fact]
                yield from _conditions(below, outcome, base)


def conclusion_title(derived: str, base: RuleBase, lang: Lang) -> str:
    """Return what a derived fact says: the title of its cause, or of the first rule that concludes it."""
    cause = base.causes.get(derived.removeprefix("cause."))
    if cause is not None:
        return cause.title.pick(lang)
    rules = base.concluding(derived)
    return rules[0].title.pick(lang) if rules else derived


def publishable(value: FactValue) -> FactValue:
    """Return a value that JSON can carry: infinity becomes text, and a whole float stays a float."""
    if isinstance(value, float) and not math.isfinite(value):
        return show(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return show(float("inf") if value > 0 else float("-inf"))
    return value
