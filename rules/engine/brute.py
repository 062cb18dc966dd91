"""The reference: the same semantics by plain evaluation, against which the engine is tested.

It shares no code with the compiled path but the rule itself and the judging of one condition, which the
engine does natively.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..facts.registry import Fact, FactSet
from .condition import Condition
from .rule import Firing, Outcome, Rule, combine


class Reference:
    """Evaluates rules one by one, following conclusions to the rules that yield them.

    Args:
        rules: without cycles.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = sorted(rules, key=lambda rule: rule.id)
        self._producers: dict[str, list[Rule]] = {}
        for rule in self._rules:
            self._producers.setdefault(rule.conclusion, []).append(rule)

    def evaluate(self, facts: FactSet, verdict: str = "spike") -> Outcome:
        """Return what follows from facts."""
        state = _State(facts, verdict, self._producers)
        for rule in self._rules:
            state.settle(rule)
        derived = [state.resolve(name) for name in self._producers]
        return Outcome(
            facts.with_facts(fact for fact in derived if fact is not None),
            {name: state.firings[name] for name in sorted(state.firings)},
            {name: state.vetoed[name] for name in sorted(state.vetoed)},
        )


class _State:
    def __init__(self, facts: FactSet, verdict: str, producers: dict[str, list[Rule]]) -> None:
        self.given = facts
        self.verdict = verdict
        self.producers = producers
        self.firings: dict[str, Firing] = {}
        self.vetoed: dict[str, tuple[Condition, ...]] = {}
        self._settled: set[str] = set()

    def resolve(self, name: str) -> Fact | None:
        """Return a fact, given or concluded."""
        given = self.given.get(name)
        for rule in self.producers.get(name, ()):
            self.settle(rule)
        fired = [self.firings[r.id] for r in self.producers.get(name, ()) if r.id in self.firings]
        if not fired:
            return given
        certainty = combine(f.certainty for f in fired)
        return Fact(name, certainty, None, certainty)

    def settle(self, rule: Rule) -> None:
        """Decide about one rule, once."""
        if rule.id in self._settled:
            return
        self._settled.add(rule.id)
        seen = {n: f for n in rule.facts if (f := self.resolve(n)) is not None}
        if not rule.applies_to(self.verdict) or any(c.judge(seen) != "yes" for c in rule.when):
            return
        if vetoes := tuple(c for c in rule.unless if c.judge(seen) == "yes"):
            self.vetoed[rule.id] = vetoes
            return
        trust = min(seen[c.fact].certainty for c in rule.when)
        self.firings[rule.id] = Firing(rule.id, rule.conclusion, rule.certainty * trust)
