"""Evaluation of a whole rule set: layer by layer, certainties combined in between."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from ..facts.registry import Fact, FactSet
from .compiler import Part, compile_layer, encode_fact
from .condition import Condition
from .native import load_library
from .rule import Firing, Outcome, Rule, combine
from .strata import stratify


class Engine:
    """Compiled rules. Evaluations from several threads run one after the other.

    Args:
        rules: with unique ids.

    Raises:
        CycleError: rules build on each other in a circle.
        LayerError: they do so through too many layers.
        EngineUnavailableError: durable_rules does not load in this Python.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        load_library()
        self._layers = [compile_layer(layer) for layer in stratify(rules)]
        self._lock = threading.Lock()

    def evaluate(self, facts: FactSet, verdict: str = "spike") -> Outcome:
        """Return what follows from facts.

        Args:
            facts: known facts.
            verdict: the detector's finding, which rules may be limited to: ``spike``, ``healthy``,
                ``insufficient`` or a pattern's id.
        """
        evaluation = _Evaluation(facts, verdict)
        with self._lock:
            for layer in self._layers:
                evaluation.run(layer)
        return evaluation.outcome()


class _Evaluation:
    def __init__(self, facts: FactSet, verdict: str) -> None:
        self._facts: dict[str, Fact] = dict(facts)
        self._wire = {name: encode_fact(name, fact.value) for name, fact in facts.items()}
        self._verdict = verdict
        self._firings: dict[str, Firing] = {}
        self._by_conclusion: dict[str, list[Firing]] = {}
        self._vetoed: dict[str, tuple[Condition, ...]] = {}

    def run(self, layer: list[Part]) -> None:
        """Evaluate one layer and make its conclusions known to the next."""
        touched: dict[str, None] = {}
        for part in layer:
            known = [self._wire[name] for name in sorted(part.facts & self._wire.keys())]
            if not known:
                continue
            rules, vetoes = part.fired(known)
            for rule in rules:
                if rule.applies_to(self._verdict) and self._decide(rule, vetoes):
                    touched[rule.conclusion] = None
        for conclusion in touched:
            self._conclude(conclusion)

    def _decide(self, rule: Rule, holding: set[Condition]) -> bool:
        if vetoes := tuple(condition for condition in rule.unless if condition in holding):
            self._vetoed[rule.id] = vetoes
            return False
        trust = min(self._facts[condition.fact].certainty for condition in rule.when)
        firing = Firing(rule.id, rule.conclusion, rule.certainty * trust)
        self._firings[rule.id] = firing
        self._by_conclusion.setdefault(rule.conclusion, []).append(firing)
        return True

    def _conclude(self, name: str) -> None:
        # Always from all firings in one order, so that the sum does not depend on how rules are spread.
        firings = sorted(self._by_conclusion[name], key=lambda firing: firing.rule)
        certainty = combine(firing.certainty for firing in firings)
        self._facts[name] = Fact(name, certainty, None, certainty)
        self._wire[name] = encode_fact(name, certainty)

    def outcome(self) -> Outcome:
        """Return everything found."""
        return Outcome(
            FactSet(self._facts.values()),
            {name: self._firings[name] for name in sorted(self._firings)},
            {name: self._vetoed[name] for name in sorted(self._vetoed)},
        )
