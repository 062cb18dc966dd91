"""How fast rule bases of several sizes load and answer, and whether memory stays level.

    python bench/engine.py [--evaluations N] [--reloads N]

Rules are copies of the shipped ones under other ids, with thresholds of their own, read from files as a
team's are. Facts are those of rules' own cases. The brute-force evaluator answers the same in the same
run as the yardstick.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import yaml
from rich.console import Console
from rich.table import Table
from spikelore.rules.cases import given_fact
from spikelore.rules.engine.brute import Reference
from spikelore.rules.facts.registry import FactSet
from spikelore.rules.rulebase import LIBRARY, RuleBase, RuleStore, Source

SIZES = (50, 500, 5000)
OUT = Console(width=120, highlight=False)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=100_000)
    parser.add_argument("--reloads", type=int, default=1_000)
    options = parser.parse_args()
    # First, while the process is small: what large rule bases leave free would hide a growth.
    _memory(options.evaluations, options.reloads)
    table = Table(
        "rules",
        "load, cold",
        "load, warm",
        "compile",
        "evaluate p50",
        "p95",
        "brute force p50",
        title="Speed",
    )
    for size in SIZES:
        table.add_row(f"{size:,}", *_speed(size))
    OUT.print(table)


def _speed(size: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), size)
        sources = [Source(LIBRARY, team=False), Source(Path(folder))]
        yield _text(_seconds(lambda: RuleBase.load(sources=sources)))
        store = RuleStore([Path(folder)])
        store.current()
        yield _text(statistics.median(_seconds(store.current) for _ in range(5)))
        base = RuleBase.load(sources=sources)
        yield _text(_seconds(lambda: base.engine))
        given = _facts(base, 60)
        took = sorted(_seconds(lambda f=f: base.evaluate(f)) for f in given)
        yield _text(statistics.median(took))
        yield _text(took[int(0.95 * len(took))])
        reference = Reference(base.compiled)
        yield _text(statistics.median(_seconds(lambda f=f: reference.evaluate(f)) for f in given))


def _write(folder: Path, size: int) -> None:
    """Fill a team directory with as many rules as make ``size`` with the shipped ones, at least none."""
    random.seed(size)
    shipped = [yaml.safe_load(path.read_text()) for path in sorted((LIBRARY / "rules").glob("*.yaml"))]
    for number in range(max(0, size - len(shipped))):
        document = dict(random.choice(shipped))
        document["id"] = f"copy-{number}"
        document["status"] = "draft"  # its cases are read, but do not hold for the moved thresholds
        document["related"] = []
        document["tests"] = [test for test in document["tests"] if "like" not in test]
        document["when"] = [_moved(condition) for condition in document["when"]]
        (folder / f"copy-{number}.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))


def _moved(condition: dict[str, object]) -> dict[str, object]:
    """Return a condition with a threshold a few percent off, so that no two rules are alike."""
    fact = str(condition["fact"])
    for op in ("ge", "gt", "le", "lt"):
        value = condition.get(op)
        if isinstance(value, int | float) and not fact.startswith(("symptom.", "cause.")) and abs(value) > 1:
            return {"fact": fact, op: round(float(value) * random.uniform(0.97, 1.03), 4)}
    return condition


def _facts(base: RuleBase, count: int) -> list[FactSet]:
    """Return sets of facts as large as a run's: those of several rules' cases together."""
    cases = [case for rule in base.rules.values() for case in rule.tests if case.fires]
    rng = random.Random(0)
    sets = []
    for _ in range(count):
        merged = {name: value for case in rng.sample(cases, 25) for name, value in case.facts.items()}
        sets.append(FactSet(given_fact(name, value) for name, value in merged.items()))
    return sets


def _memory(evaluations: int, reloads: int) -> None:
    process = psutil.Process()
    base = RuleBase.load(sources=[Source(LIBRARY, team=False)])
    given = _facts(base, 200)
    for facts in given:
        base.evaluate(facts)
    table = Table("work", "resident before", "after", "growth", title="Memory, MB")

    def measure(name: str, work: Callable[[], None]) -> None:
        gc.collect()
        before = process.memory_info().rss
        work()
        gc.collect()
        after = process.memory_info().rss
        table.add_row(name, f"{before / 1e6:.1f}", f"{after / 1e6:.1f}", f"{(after - before) / 1e6:+.1f}")

    def evaluate() -> None:
        for number in range(evaluations):
            base.evaluate(given[number % len(given)])

    measure(f"{evaluations:,} evaluations", evaluate)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "changing.yaml"
        document = yaml.safe_load((LIBRARY / "rules" / "gradient-over-100.yaml").read_text())
        store = RuleStore([Path(folder)])

        def reload(count: int) -> None:
            for number in range(count):
                changed = document | {
                    "id": "changing",
                    "certainty": round(0.2 + (number % 700) / 1000, 3),
                    "tests": [],
                }
                path.write_text(yaml.safe_dump(changed, allow_unicode=True))
                store.current().evaluate(given[number % len(given)])

        reload(20)
        measure(f"{reloads:,} hot reloads, each with an evaluation", lambda: reload(reloads))
    OUT.print(table)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    kept = work()
    took = time.perf_counter() - started
    del kept  # only now: taking it apart is not part of the work
    return took


def _text(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.2f} ms"


if __name__ == "__main__":
    main()
