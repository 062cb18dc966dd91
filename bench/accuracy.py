"""How often the diagnosis of a training job is right, over the jobs of ``bench/gym``.

    python bench/accuracy.py [ID] [--runs FOLDER] [--again] [--tuned | --untuned] [--sensors] [--record]

Each job trains under ``spikelore run``; its diagnosis is held against what is known to be wrong with it.
Rules may be tuned on the jobs marked ``tuned`` only, so the figures that count are those of the others.
Printed: a line per job, the confusions, top 1 and top 3, the error of the onset in steps, alarms, healthy
jobs, and how far a certainty can be believed. ``--sensors`` also takes each fact, and each sensor, away
and looks for right answers that turn into wrong ones.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

from gym_jobs import Job, Result, jobs, run
from recording import ANSWERS, PROVEN, record
from rich.console import Console
from rich.table import Table
from sensors_off import Turned, facts_off, sensors_off

BINS = (0.0, 0.3, 0.5, 0.7, 0.9, 1.0001)
OUT = Console(width=150, highlight=False)


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    chosen = [job for job in jobs(options.id) if options.which is None or job.tuned == options.which]
    with tempfile.TemporaryDirectory() as scratch:
        runs = options.runs or Path(scratch)
        results = _all(chosen, runs, again=options.again, workers=options.workers)
        _report(results)
        if options.sensors:
            _turned([turned for result in results for turned in facts_off(result)], "fact")
            _turned([turned for result in results for turned in sensors_off(result, runs)], "sensor")
        if options.record:
            record(results, runs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("id", nargs="?", default="", help="part of the ids of the jobs wanted")
    parser.add_argument(
        "--runs", type=Path, help="folder that keeps the runs; finished ones are not repeated"
    )
    parser.add_argument("--again", action="store_true", help="train again what is there")
    parser.add_argument("--workers", type=int, default=1, help="jobs that train at once")
    parser.add_argument("--tuned", dest="which", action="store_const", const=True)
    parser.add_argument("--untuned", dest="which", action="store_const", const=False)
    parser.add_argument("--sensors", action="store_true", help="take away each fact and each sensor")
    parser.add_argument("--record", action="store_true", help=f"write {PROVEN.name} and {ANSWERS.name}")
    return parser.parse_args()


def _all(chosen: list[Job], runs: Path, *, again: bool, workers: int) -> list[Result]:
    results = []
    with ThreadPoolExecutor(workers) as pool:
        for result in pool.map(lambda job: run(job, runs, again=again), chosen):
            OUT.print(_line(result))
            results.append(result)
    return results


def _line(result: Result) -> str:
    job = result.job
    answer = ", ".join(result.named[:3]) or result.diagnosis.pattern or result.diagnosis.verdict
    right = result.right()
    mark = "ok   " if right else "top 3" if job.faulty and result.right(3) else "WRONG"
    error = "" if result.step_error is None else f" step {result.step_error:+d}"
    failed = f" exit {result.exit}" if result.exit else ""
    kind = "tuned  " if job.tuned else "untuned"
    return (
        f"{mark} {kind} {job.id:45} {result.certainty:.2f} {answer}{error}{failed} ({result.seconds:.0f} s)"
    )


def _report(results: list[Result]) -> None:
    faulty = [result for result in results if result.job.faulty]
    sides = {"tuned": [r for r in faulty if r.job.tuned], "untuned": [r for r in faulty if not r.job.tuned]}
    _accuracy(sides)
    _confusions(faulty)
    _healthy([result for result in results if not result.job.faulty])
    for name, side in sides.items():
        _reliability(side, name)


def _accuracy(sides: dict[str, list[Result]]) -> None:
    table = Table("", *sides, title="Faulty jobs")

    def row(name: str, measure: Callable[[list[Result]], str]) -> None:
        table.add_row(name, *(measure(side) for side in sides.values()))

    row("jobs", lambda side: str(len(side)))
    row("right cause first", lambda side: _share([r.right() for r in side]))
    row("right cause in the first three", lambda side: _share([r.right(3) for r in side]))
    row("no cause over 0.5", lambda side: _share([r.certainty < 0.5 for r in side]))
    row("wrong first, over 0.5", lambda side: _share([not r.right() and r.certainty >= 0.5 for r in side]))
    row("fault visible at its step, onset within one", lambda side: _share(list(_exact(side))))
    row("onset, median error", lambda side: _median([float(abs(e)) for e in _errors(side)], "steps"))
    row("fault step known, no spike seen", lambda side: str(sum(_missed(r) for r in side)))
    row("alarm while running", lambda side: _share([r.alarm is not None for r in side if _sudden(r)]))
    row("steps from fault to alarm, median", lambda side: _median(list(_delays(side)), "steps"))
    OUT.print(table)


def _errors(side: Iterable[Result]) -> list[int]:
    return [result.step_error for result in side if result.step_error is not None]


def _exact(side: Iterable[Result]) -> Iterator[bool]:
    for result in side:
        if result.visible:
            yield result.step_error is not None and abs(result.step_error) <= 1


def _sudden(result: Result) -> bool:
    return result.job.fault_step is not None


def _missed(result: Result) -> bool:
    return _sudden(result) and result.step_error is None


def _delays(side: Iterable[Result]) -> Iterable[float]:
    for result in side:
        if result.alarm is not None and result.job.fault_step is not None:
            yield float(result.alarm - result.job.fault_step)


def _share(flags: Sequence[bool]) -> str:
    return f"{sum(flags)} of {len(flags)} ({100 * sum(flags) / len(flags):.0f} %)" if flags else "-"


def _median(values: list[float], unit: str) -> str:
    return f"{statistics.median(values):g} {unit}" if values else "-"


def _confusions(faulty: list[Result]) -> None:
    """Print the confusion matrix by its rows: what each cause was taken for."""
    table = Table("cause", "jobs", "right", "taken for", title="Confusions")
    by_cause = defaultdict(list)
    for result in faulty:
        by_cause[result.job.cause or ""].append(result)
    for cause, results in sorted(by_cause.items()):
        wrong = Counter(
            (r.named or [r.diagnosis.pattern or r.diagnosis.verdict])[0] for r in results if not r.right()
        )
        taken = ", ".join(f"{name} {count}" for name, count in wrong.most_common())
        table.add_row(cause, str(len(results)), str(sum(r.right() for r in results)), taken)
    OUT.print(table)


def _healthy(healthy: list[Result]) -> None:
    table = Table("", "tuned", "untuned", title="Healthy jobs that look bad")
    sides = [[r for r in healthy if r.job.tuned == tuned] for tuned in (True, False)]
    table.add_row("jobs", *(str(len(side)) for side in sides))
    table.add_row("spike", *(_share([r.diagnosis.verdict == "spike" for r in side]) for side in sides))
    table.add_row("a cause named", *(_share([bool(r.roots) and not r.quiet for r in side]) for side in sides))
    table.add_row("alarm while running", *(_share([r.alarm is not None for r in side]) for side in sides))
    known = [[r for r in side if r.job.pattern] for side in sides]
    table.add_row(
        "pattern as expected", *(_share([r.diagnosis.pattern == r.job.pattern for r in k]) for k in known)
    )
    OUT.print(table)


def _reliability(side: list[Result], name: str) -> None:
    """Print how often answers of each certainty are right, and the expected calibration error.

    Guo, Pleiss, Sun, Weinberger: On Calibration of Modern Neural Networks, 2017, equation 3.
    """
    named = [result for result in side if result.roots]
    table = Table("certainty", "answers", "mean certainty", "right", title=f"Reliability, {name} jobs")
    error = 0.0
    for low, high in pairwise(BINS):
        held = [result for result in named if low <= result.certainty < high]
        if not held:
            continue
        mean = statistics.fmean(result.certainty for result in held)
        right = statistics.fmean(result.right() for result in held)
        error += len(held) / len(named) * abs(mean - right)
        table.add_row(f"{low:g} to {min(high, 1):g}", str(len(held)), f"{mean:.2f}", f"{right:.2f}")
    table.caption = f"expected calibration error {error:.3f}"
    OUT.print(table)


def _turned(found: list[Turned], what: str) -> None:
    tried, wrong = len(found), [turned for turned in found if turned.wrong]
    OUT.print(f"Without one {what}: {tried} tried, {len(wrong)} right answers turned wrong with over 0.5")
    for turned in wrong:
        OUT.print(f"  {turned.job} without {turned.missing}: {turned.answer} {turned.certainty:.2f}")


if __name__ == "__main__":
    main()
