"""Which measurement would decide most, where the evidence does not decide."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..documents import RuleDocument
from ..documents.checking import is_derived
from ..documents.rule import derived_name
from ..engine import Condition, Outcome
from ..facts.registry import specs
from ..rulebase import RuleBase
from .wording import Lang, join, meaning, quote, say

_MOST = 3
_DEPTH = 4
_CAUSES_NAMED = 3
_LEAST = 0.1


def needed(outcome: Outcome, base: RuleBase, lang: Lang, among: Collection[str] | None = None) -> list[str]:
    """Return the measurements that would decide most, as sentences, the best first.

    An unknown fact counts for every rule that it alone or with few others keeps from firing: the rule's
    certainty, shared among its unknown facts, and the more of it the more of the rule holds already.

    Args:
        outcome: of the facts known.
        base: the rules.
        lang: ``en`` or ``zh``.
        among: only these causes are to be decided between; None for all.
    """
    weight: dict[str, float] = {}
    decides: dict[str, dict[str, None]] = {}
    for cause, document in base.causes.items():
        if among is not None and cause not in among:
            continue
        wanted = _wanted(derived_name(cause), outcome, base)
        for fact in document.needs if not wanted else ():
            if fact not in outcome.facts and not is_derived(fact):
                wanted[fact] = 0.1
        for fact, potential in wanted.items():
            weight[fact] = weight.get(fact, 0.0) + potential
            decides.setdefault(fact, {})[cause] = None
    best = sorted(weight, key=lambda fact: (-weight[fact], fact))[:_MOST]
    return [_sentence(fact, list(decides[fact]), base, lang) for fact in best]


def _wanted(derived: str, outcome: Outcome, base: RuleBase) -> dict[str, float]:
    """Return the unknown facts that rules for a conclusion wait for, with what they could bring."""
    wanted: dict[str, float] = {}
    for rule in base.concluding(derived):
        if rule.id in outcome.firings:
            continue
        facts = _waiting(rule, outcome, base, _DEPTH)
        for fact in facts or ():
            share = rule.certainty * _held(rule, outcome) / len(facts or ())
            wanted[fact] = max(wanted.get(fact, 0.0), share)
    return wanted


def _held(rule: RuleDocument, outcome: Outcome) -> float:
    """Return how much of a rule holds already, at least a little: what nothing points to is unlikely."""
    held = sum(Condition.of(condition).judge(outcome.facts) == "yes" for condition in rule.when)
    return max(held / len(rule.when), _LEAST)


def _waiting(rule: RuleDocument, outcome: Outcome, base: RuleBase, depth: int) -> set[str] | None:
    """Return the unknown facts that a rule waits for, None when it cannot fire whatever they are."""
    if any(Condition.of(c).judge(outcome.facts) == "yes" for c in rule.unless):
        return None
    waiting: set[str] = set()
    for document in rule.when:
        state = Condition.of(document).judge(outcome.facts)
        if state == "no":
            return None
        if state == "unknown":
            below = _below(document.fact, outcome, base, depth)
            if below is None:
                return None
            waiting |= below
    return waiting


def _below(fact: str, outcome: Outcome, base: RuleBase, depth: int) -> set[str] | None:
    """Return what an unknown fact stands for: itself, or what the easiest rule for a conclusion needs."""
    if not is_derived(fact):
        return {fact}
    ways = list(_ways(fact, outcome, base, depth))
    return min(ways, key=lambda facts: (len(facts), sorted(facts))) if ways else None


def _ways(fact: str, outcome: Outcome, base: RuleBase, depth: int) -> Iterator[set[str]]:
    if depth == 0:
        return
    for rule in base.concluding(fact):
        facts = _waiting(rule, outcome, base, depth - 1)
        if facts:
            yield facts


def _sentence(fact: str, causes: list[str], base: RuleBase, lang: Lang) -> str:
    titles = [quote(base.causes[cause].title.pick(lang)) for cause in causes[:_CAUSES_NAMED]]
    spec = specs().get(fact)
    what, named = meaning(fact, lang), join(titles, lang)
    if spec is not None and spec.computed_from:
        evidence = join(list(spec.computed_from), lang)
        return say("record", lang, evidence=evidence, what=what, fact=fact, causes=named)
    return say("measure", lang, what=what, fact=fact, causes=named)
