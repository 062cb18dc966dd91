"""The engine gives what plain evaluation gives, whatever the numbers, texts and locale."""

from __future__ import annotations

import math
import random
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from random_rules import random_facts, random_rules
from spikelore.rules.engine import Condition, Engine, Rule
from spikelore.rules.engine.brute import Reference
from spikelore.rules.facts.registry import FactSet


def outcome(facts: dict[str, object], *conditions: Condition, unless: tuple[Condition, ...] = ()) -> bool:
    rule = Rule("r", "symptom.s", 0.8, conditions, unless)
    return "r" in Engine([rule]).evaluate(FactSet.of(facts)).firings  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(8))
def test_engine_agrees_with_brute_force(seed: int) -> None:
    """On random rule and fact sets engine and reference fire, veto and conclude the same."""
    rng = random.Random(seed)
    for _ in range(60):
        rules = random_rules(rng)
        engine, reference = Engine(rules), Reference(rules)
        for _ in range(4):
            facts, verdict = random_facts(rng, rules), rng.choice(["spike", "healthy", "pattern.noise"])
            got, wanted = engine.evaluate(facts, verdict), reference.evaluate(facts, verdict)
            assert (got.firings, got.vetoed, dict(got.facts)) == (
                wanted.firings,
                wanted.vetoed,
                dict(wanted.facts),
            )


@pytest.mark.parametrize("value", [1e-05, 1e-300, 1e16, math.inf, -math.inf, 5e-324])
def test_numbers_that_need_an_exponent_are_compared_exactly(value: float) -> None:
    """A learning rate of 1e-5 is a fact like any other, and so are the ends of the range."""
    assert outcome({"lr": value}, Condition("lr", "ge", value))
    assert not outcome({"lr": value}, Condition("lr", "gt", value))


def test_types_never_meet() -> None:
    """One, true and the text 1 are different values."""
    assert not outcome({"x": 1.0}, Condition("x", "eq", True))
    assert not outcome({"x": "1"}, Condition("x", "eq", 1.0))
    assert outcome({"x": True}, Condition("x", "eq", True))


@pytest.mark.parametrize("value", [0, -0.0, False])
def test_conditions_on_zero_and_on_false_are_two(value: float) -> None:
    """Rules that forbid themselves by ``= 0`` and by ``= false`` stand in one base and keep apart."""
    always = Condition("f.here", "eq", 1.0)
    rules = [
        Rule("zero", "symptom.zero", 0.5, (always,), (Condition("f.value", "eq", 0.0),)),
        Rule("false", "symptom.false", 0.5, (always,), (Condition("f.value", "eq", False),)),
    ]
    outcome = Engine(rules).evaluate(FactSet.of({"f.here": 1.0, "f.value": value}))
    assert list(outcome.firings) == (["zero"] if value is False else ["false"])


def test_unknown_is_neither_satisfied_nor_a_veto() -> None:
    """A fact that is not known satisfies no condition and vetoes nothing."""
    assert not outcome({}, Condition("a", "lt", 1.0))
    assert outcome({"a": 0.0}, Condition("a", "lt", 1.0), unless=(Condition("b", "eq", True),))


def test_a_german_locale_changes_nothing() -> None:
    """Decimal commas of the C library do not reach the comparisons."""
    code = (
        "import locale, sys\n"
        "try: locale.setlocale(locale.LC_ALL, 'de_DE.UTF-8')\n"
        "except locale.Error: sys.exit(3)\n"
        "from spikelore.rules.engine import Condition, Engine, Rule\n"
        "from spikelore.rules.facts.registry import FactSet\n"
        "engine = Engine([Rule('r', 'symptom.s', 0.8, (Condition('x', 'gt', 0.5),))])\n"
        "print(bool(engine.evaluate(FactSet.of({'x': 0.75})).firings), "
        "bool(engine.evaluate(FactSet.of({'x': 0.25})).firings))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 3:
        pytest.skip("this machine has no locale de_DE.UTF-8")
    assert done.stdout.split() == ["True", "False"]


def test_threads_share_an_engine() -> None:
    """Evaluations from several threads each get their own facts."""
    engine = Engine([Rule("r", "symptom.s", 0.8, (Condition("x", "gt", 0.5),))])
    wrong: list[float] = []

    def work(value: float) -> None:
        answers = [bool(engine.evaluate(FactSet.of({"x": value})).firings) for _ in range(100)]
        wrong.extend(value for answer in answers if answer != (value > 0.5))

    threads = [threading.Thread(target=work, args=(value,)) for value in (0.2, 0.4, 0.6, 0.8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


X = [f"x{n}.value" for n in range(960)]


def many(when: Callable[[int], tuple[Condition, ...]], unless: tuple[Condition, ...] = ()) -> list[Rule]:
    return [Rule(f"r{n}", "symptom.s", 0.5, when(n), unless) for n in range(600)]


BEYOND = {
    "600 rules share a condition": (
        many(lambda n: (Condition("a", "ge", 1.0), Condition(X[n % 9], "ge", float(n % 5)))),
        {"a": 2.0, **dict.fromkeys(X[:9], 3.0)},
    ),
    "600 thresholds of one fact hold at once": (
        many(lambda n: (Condition("a", "ge", float(n)),)),
        {"a": 1000.0},
    ),
    "600 vetoes on one fact": (
        [Rule(f"r{n}", "symptom.s", 0.5, (Condition("a", "ge", 0.0),), (Condition("b", "ge", float(n)),))
         for n in range(600)],
        {"a": 1.0, "b": 300.0},
    ),
    "960 facts": (
        [Rule(f"r{n}", "symptom.s", 0.5, tuple(Condition(x, "ge", 0.0) for x in X[16 * n : 16 * n + 16]))
         for n in range(60)],
        dict.fromkeys(X, 1.0),
    ),
    "64 combinations": (
        [Rule("r", "symptom.s", 0.5, tuple(Condition(x, "in", ("a", "b")) for x in X[:6]))],
        dict.fromkeys(X[:6], "b"),
    ),
    "64 conditions of one rule hold on one fact": (
        [Rule("r", "symptom.s", 0.5, tuple(Condition("a", "ge", float(n)) for n in range(32)),
              tuple(Condition("a", "ge", n + 0.5) for n in range(32)))],
        {"a": 100.0},
    ),
    "64 values forbid a rule": (
        [Rule("r", "symptom.s", 0.5, (Condition("b", "eq", True),),
              tuple(Condition("a", "in", tuple(f"{n}-{m}" for m in range(16))) for n in range(4)))],
        {"a": "3-15", "b": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BEYOND)
def test_rule_bases_beyond_the_limits_of_the_library_are_spread(name: str) -> None:
    """What durable_rules cannot bear in one ruleset is split over several, and answers as brute force."""
    rules, values = BEYOND[name]
    facts = FactSet.of(values)  # type: ignore[arg-type]
    got, wanted = Engine(rules).evaluate(facts), Reference(rules).evaluate(facts)
    assert wanted.firings or wanted.vetoed
    assert (got.firings, got.vetoed) == (wanted.firings, wanted.vetoed)
