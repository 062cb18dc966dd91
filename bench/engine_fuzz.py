"""Differential fuzz: the engine against the brute-force evaluator on random rule and fact sets.

Usage: python bench/engine_fuzz.py [RULE_SETS] [SEED]. Each rule set is tried on four fact sets.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "rules"))

from random_rules import random_facts, random_rules
from spikelore.rules.engine import Engine, Outcome
from spikelore.rules.engine.brute import Reference


def signature(outcome: Outcome) -> tuple[object, ...]:
    return outcome.firings, outcome.vetoed, dict(outcome.facts)


def main(sets: int = 25_000, seed: int = 1) -> int:
    rng = random.Random(seed)
    evaluations = firings = mismatches = 0
    start = time.perf_counter()
    for _ in range(sets):
        rules = random_rules(rng)
        engine, reference = Engine(rules), Reference(rules)
        for _ in range(4):
            facts = random_facts(rng, rules)
            verdict = rng.choice(["spike", "healthy", "pattern.noise"])
            got, wanted = engine.evaluate(facts, verdict), reference.evaluate(facts, verdict)
            evaluations += 1
            firings += len(wanted.firings)
            if signature(got) != signature(wanted):
                mismatches += 1
                print("MISMATCH", rules, facts, verdict, got, wanted, sep="\n  ")
    seconds = time.perf_counter() - start
    print(f"{evaluations:,} evaluations of {sets:,} rule sets, {firings:,} firings, {seconds:.0f} s")
    print(f"mismatches: {mismatches}")
    return 1 if mismatches else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
