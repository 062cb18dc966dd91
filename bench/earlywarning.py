"""What was told before the loss jumped, over the jobs of ``bench/gym``: ours beside two other rules.

    python bench/earlywarning.py [ID] [--runs FOLDER]

All see the same recorded runs. ZClip's rule alarms on a gradient norm more than 2.5 standard deviations above
its moving average; trainscope's is a cumulative sum of robust deviations of the gradient norm, here upward
only. Both are written from their descriptions. A warning is early when it comes after the fault began and
before the first bad loss; one before the fault, or on a healthy job, is false. ``SPIKELORE_BUDGET=1`` records
every quantity on every step, which on steps of a millisecond the default budget does not.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
from gym_jobs import Result, evidence_of, jobs, run
from rich.console import Console
from rich.table import Table
from rivals import cusum, zclip
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.rules.detector import OnlineDetector
from spikelore.rules.detector.early import EarlyWarnings

OUT = Console(width=130, highlight=False)
RECENT = 300
"""Steps before the onset in which a warning can belong to it, where the start of the fault is not known."""
_Rule: TypeAlias = Callable[[RunEvidence], list[tuple[int, str]]]


def ours(evidence: RunEvidence) -> list[tuple[int, str]]:
    """Return (step, quantity) of every warning that a watcher would have given while the job ran."""
    followed, detector = EarlyWarnings(), OnlineDetector()
    found = []
    for step in evidence.primary.steps:
        loss = step.v.get("loss")
        if isinstance(loss, float | int):
            detector.push(step.step, float(loss), step.epoch)
        found += [(p.step, p.quantity) for p in followed.push(step.step, step.v) if detector.calm]
    return found


def _on_norm(rule: Callable[[np.ndarray], list[int]]) -> _Rule:
    def alarms(evidence: RunEvidence) -> list[tuple[int, str]]:
        norms = evidence.primary.series("grad.norm")
        finite = np.isfinite(norms.value)
        steps = norms.step[finite]
        return [(int(steps[index]), "grad.norm") for index in rule(norms.value[finite])]

    return alarms


RULES: dict[str, _Rule] = {
    "spikelore": ours,
    "ZClip, z > 2.5": _on_norm(zclip),
    "trainscope, CUSUM": _on_norm(cusum),
}


def main() -> None:
    """Run the jobs that have not run yet, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("id", nargs="?", default="", help="part of the ids of the jobs wanted")
    parser.add_argument("--runs", type=Path, help="folder that runs are kept in, and taken from")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.runs or Path(scratch)
        found = [
            (result, evidence_of(result.job, folder))
            for result in (run(job, folder) for job in jobs(options.id))
        ]
    _leads([pair for pair in found if pair[0].job.faulty])
    _summary(found)


def _early(result: Result, warnings: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the warnings that belong to the fault and come before the loss shows it."""
    onset = result.finding.onset
    if onset is None or onset.step is None:
        return []
    began = result.job.fault_step if result.job.fault_step is not None else onset.step - RECENT
    return [(step, name) for step, name in warnings if began <= step < onset.step]


def _false(result: Result, warnings: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Return the warnings of a healthy job, or those before its fault."""
    if not result.job.faulty:
        return warnings
    onset = result.finding.onset
    began = result.job.fault_step
    if began is None:
        began = onset.step - RECENT if onset is not None and onset.step is not None else None
    return [(step, name) for step, name in warnings if began is not None and step < began]


def _leads(found: list[tuple[Result, RunEvidence]]) -> None:
    table = Table("job", "onset", *RULES, title="Steps from the first warning to the first bad loss")
    for result, evidence in found:
        onset = result.finding.onset
        early = {name: _early(result, rule(evidence)) for name, rule in RULES.items()}
        if onset is not None and onset.step is not None and any(early.values()):
            cells = [f"{onset.step - each[0][0]} ({each[0][1]})" if each else "-" for each in early.values()]
            table.add_row(result.job.id, str(onset.step), *cells)
    OUT.print(table)


def _summary(found: list[tuple[Result, RunEvidence]]) -> None:
    faulty = [pair for pair in found if pair[0].job.faulty and pair[0].finding.onset is not None]
    healthy = [pair for pair in found if not pair[0].job.faulty]
    table = Table("", *RULES, title="In all")
    rows: dict[str, list[str]] = {}
    for rule in RULES.values():
        early = [(result, _early(result, rule(evidence))) for result, evidence in faulty]
        leads = [
            result.finding.onset.step - each[0][0] for result, each in early if each and result.finding.onset
        ]
        wrong = [len(_false(result, rule(evidence))) for result, evidence in faulty]
        quiet = [len(rule(evidence)) for _, evidence in healthy]
        for name, text in (
            ("faulty jobs with an onset", str(len(faulty))),
            ("warned before the loss jumped", str(len(leads))),
            ("median lead in steps", f"{statistics.median(leads):g}" if leads else "-"),
            ("faulty jobs with a warning before the fault", str(sum(map(bool, wrong)))),
            ("healthy jobs", str(len(healthy))),
            ("healthy jobs with a warning", str(sum(map(bool, quiet)))),
            ("warnings on healthy jobs", str(sum(quiet))),
        ):
            rows.setdefault(name, []).append(text)
    for name, texts in rows.items():
        table.add_row(name, *texts)
    OUT.print(table)


if __name__ == "__main__":
    main()
