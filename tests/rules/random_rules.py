"""Random rule sets and facts that go where comparisons go wrong: equal, adjacent, huge, tiny, odd values."""

from __future__ import annotations

import math
import random

from spikelore.rules.diagnosis import FactValue
from spikelore.rules.engine import Condition, Rule
from spikelore.rules.engine.condition import slot
from spikelore.rules.facts.registry import Fact, FactSet

NUMBERS: list[float | int] = [
    0, -0.0, 1, -1, 3, 3.0, 7.5, 0.1, 0.30000000000000004, 0.3, 100.0, 99.99999999999999,
    1e-05, -1e-05, 1e-300, 5e-324, 1e16, 2**53, 2**53 + 1, 10**400, -(10**400),
    math.inf, -math.inf, 1.7976931348623157e308,
]  # fmt: skip
TEXTS = [
    "", "ddp", "DDP", "1", "true", "a b", 'quo"te', "back\\slash", "学习率", "line\nfeed",
    "{f}", "x" * 70_000, "x" * 4_464, "\x00", "\ud800", "=ddp", "e\u0301", "\u00e9",
]  # fmt: skip
FACTS = [f"f{i}.value" for i in range(9)]


def random_value(rng: random.Random) -> FactValue:
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(NUMBERS) if rng.random() < 0.7 else rng.uniform(-10, 10)
    return rng.random() < 0.5 if kind < 0.8 else rng.choice(TEXTS)


def random_condition(rng: random.Random, derived: list[str]) -> Condition:
    if derived and rng.random() < 0.35:
        return Condition(
            rng.choice(derived), rng.choice(["ge", "gt", "lt", "le"]), rng.choice([0.3, 0.5, 0.56, 0.8])
        )
    value = random_value(rng)
    if rng.random() < 0.2:
        return Condition(rng.choice(FACTS), "in", tuple(random_value(rng) for _ in range(rng.randint(1, 3))))
    ops = ["eq", "ne"] if slot(value) != "n" else ["gt", "ge", "lt", "le", "eq", "ne"]
    return Condition(rng.choice(FACTS), rng.choice(ops), value)  # type: ignore[arg-type]


def random_rules(rng: random.Random, most: int = 14) -> list[Rule]:
    """Rules in up to four layers without cycles: a rule reads only conclusions of layers below its own."""
    rules: list[Rule] = []
    layers = [[f"symptom.s{layer}{i}" for i in range(2)] for layer in range(rng.randint(1, 4))]
    for index in range(rng.randint(1, most)):
        layer = rng.randrange(len(layers))
        below = [name for names in layers[:layer] for name in names]
        when = tuple(random_condition(rng, below) for _ in range(rng.randint(1, 4)))
        unless = tuple(random_condition(rng, below) for _ in range(rng.choice([0, 0, 1, 2])))
        verdicts = rng.choice([None, None, frozenset({"spike"}), frozenset({"pattern.noise"})])
        certainty = rng.choice([0.3, 0.7, 0.8, 1.0])
        rules.append(Rule(f"r{index}", rng.choice(layers[layer]), certainty, when, unless, verdicts))
    return rules


def random_facts(rng: random.Random, rules: list[Rule]) -> FactSet:
    """Facts that often sit exactly on a threshold of some rule."""
    thresholds: dict[str, list[FactValue]] = {}
    for rule in rules:
        for condition in (*rule.when, *rule.unless):
            thresholds.setdefault(condition.fact, []).extend(condition.alternatives)
    facts = []
    for name in FACTS:
        if rng.random() < 0.25:
            continue
        near = thresholds.get(name)
        value = rng.choice(near) if near and rng.random() < 0.6 else random_value(rng)
        if isinstance(value, float) and rng.random() < 0.2:
            value = math.nextafter(value, rng.choice([-math.inf, math.inf]))
        facts.append(Fact(name, value, None, rng.choice([1.0, 0.9, 0.5])))
    if rng.random() < 0.2:
        facts.append(Fact("f0.value", math.nan))
    return FactSet(facts)
