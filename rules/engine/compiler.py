"""From rules to durable_rules definitions, within the limits that it was measured to bear.

Beyond them it raises, hangs or crashes: 4,096 rules a ruleset, 511 distinct tests at one node, 64 of
them true at once, one test shared by 255 antecedents. Rules are spread over as many rulesets as that
takes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ..diagnosis import FactValue
from .condition import Condition, slot, text_key, wire
from .native import NativeRuleset
from .rule import Rule

MAX_SHARED = 255
MAX_TESTS_PER_FACT = 60
"""Below the 64 tests that may be true at once at one node."""
MAX_FACTS = 500
MAX_RULES = 4_000

_NATIVE = {"gt": "$gt", "ge": "$gte", "lt": "$lt", "le": "$lte", "ne": "$neq"}

_Test = tuple[str, str, str, "int | bool | str"]
"""Fact, operator, slot and value as they travel: what the engine takes as one test."""


class Part:
    """One ruleset: some rules of a layer, and the tests that forbid them.

    Attributes:
        facts: names that it reads.
    """

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.facts: set[str] = set()
        self.vetoes: list[Condition] = []
        self._native: NativeRuleset | None = None
        self._size = 0
        self._shared: Counter[_Test] = Counter()
        self._tests: Counter[str] = Counter()
        self._veto_index: dict[Condition, int] = {}

    def add(self, rule: Rule) -> bool:
        """Take in a rule if it fits."""
        shared = self._uses(rule)
        new_vetoes = [c for c in dict.fromkeys(rule.unless) if c not in self._veto_index]
        if self.rules and not self._fits(rule, shared, new_vetoes):
            return False
        self._tests.update(test[0] for test in shared if test not in self._shared)
        self._shared.update(shared)
        self._size += _combinations(rule) + sum(len(c.alternatives) for c in new_vetoes)
        self.facts |= rule.facts
        self.rules.append(rule)
        for condition in new_vetoes:
            self._veto_index[condition] = len(self.vetoes)
            self.vetoes.append(condition)
        return True

    def _uses(self, rule: Rule) -> Counter[_Test]:
        """Count the antecedents that use each test."""
        combinations = _combinations(rule)
        uses: Counter[_Test] = Counter()
        for condition in rule.when:
            for value in condition.alternatives:
                uses[_test(condition, value)] += combinations // len(condition.alternatives)
        for condition in dict.fromkeys(rule.unless):
            if condition not in self._veto_index:
                uses.update(_test(condition, value) for value in condition.alternatives)
        return uses

    def _fits(self, rule: Rule, shared: Counter[_Test], new_vetoes: list[Condition]) -> bool:
        size = _combinations(rule) + sum(len(c.alternatives) for c in new_vetoes)
        tests = Counter(test[0] for test in shared if test not in self._shared)
        return (
            self._size + size <= MAX_RULES
            and len(self.facts | rule.facts) <= MAX_FACTS
            and all(self._shared[test] + n <= MAX_SHARED for test, n in shared.items())
            and all(self._tests[fact] + n <= MAX_TESTS_PER_FACT for fact, n in tests.items())
        )

    def fired(self, facts: Iterable[str]) -> tuple[list[Rule], set[Condition]]:
        """Return the rules whose ``when`` holds, and the conditions of any ``unless`` that hold."""
        if self._native is None:
            self._native = NativeRuleset(self.definition())
        rules: dict[int, Rule] = {}
        vetoes: set[Condition] = set()
        for name in self._native.run(facts):
            index = int(name[1:].partition("_")[0])
            if name[0] == "r":
                rules[index] = self.rules[index]
            else:
                vetoes.add(self.vetoes[index])
        return list(rules.values()), vetoes

    def definition(self) -> dict[str, Any]:
        """Return the engine's rules: ``r`` and a number for a rule, ``v`` and a number for a veto."""
        out: dict[str, Any] = {}
        for number, condition in enumerate(self.vetoes):
            for choice, value in enumerate(condition.alternatives):
                test = _native_test(condition, value)
                out[f"v{number}_{choice}"] = {"all": [_antecedent("u", condition.fact, [test])], "pri": 1}
        for number, rule in enumerate(self.rules):
            for choice, antecedents in enumerate(_antecedents(rule)):
                out[f"r{number}_{choice}"] = {"all": antecedents, "pri": 2}
        return out


def compile_layer(rules: Iterable[Rule]) -> list[Part]:
    """Return the rulesets of one layer, as few as the limits allow by first fit."""
    parts: list[Part] = []
    for rule in rules:
        # Only the newest parts are tried: an old one that was full once seldom has room for another.
        if not any(part.add(rule) for part in parts[-4:]):
            parts.append(Part())
            parts[-1].add(rule)
    return parts


def encode_fact(name: str, value: FactValue) -> str:
    """Return a fact as the body of a JSON object."""
    carried = wire(value)
    kind = slot(value)
    text = f'"{carried}"' if kind == "s" else str(carried).lower() if kind == "b" else str(carried)
    return f'"f":"{text_key(name)}","{kind}":{text}'


def _combinations(rule: Rule) -> int:
    total = 1
    for condition in rule.when:
        total *= len(condition.alternatives)
    return total


def _test(condition: Condition, value: FactValue) -> _Test:
    op = "eq" if condition.op == "in" else condition.op
    return condition.fact, op, slot(value), wire(value)


def _native_test(condition: Condition, value: FactValue) -> dict[str, Any]:
    comparison: dict[str, Any] = {slot(value): wire(value)}
    op = condition.op
    return comparison if op in {"eq", "in"} else {_NATIVE[op]: comparison}


def _antecedent(alias: str, fact: str, tests: list[dict[str, Any]]) -> dict[str, Any]:
    return {alias: {"$and": [{"f": text_key(fact)}, *tests]}}


def _antecedents(rule: Rule) -> Iterator[list[dict[str, Any]]]:
    """Yield one list for each combination of ``in`` values; tests of one fact share an antecedent."""
    for values in itertools.product(*(condition.alternatives for condition in rule.when)):
        by_fact: dict[str, list[dict[str, Any]]] = {}
        for condition, value in zip(rule.when, values, strict=True):
            by_fact.setdefault(condition.fact, []).append(_native_test(condition, value))
        yield [_antecedent(f"c{i}", fact, tests) for i, (fact, tests) in enumerate(by_fact.items())]
