"""What was told before the loss jumped, over the jobs of ``bench/gym``: ours beside other rules.

    python bench/earlywarning.py [ID] [--runs FOLDER] [--others PYTHON]

All see the same recorded runs. ZClip's rule alarms on a gradient norm more than 2.5 standard deviations
above its moving average; the CUSUM is a cumulative sum of robust deviations of the gradient norm, upward
only. Both are written from their descriptions. ``--others`` names a Python that has trainscope: its own
detector, with its own settings, follows the loss. A warning is early when it comes after the fault began
and before the first bad loss; one before the fault, or on a healthy job, is false. *Live* is what a watcher
says while the job runs; *diagnosis* what the diagnosis adds once the loss has jumped, from nothing but the
steps before. ``SPIKELORE_BUDGET=1`` records every quantity on every step, which on steps of a millisecond
the default budget does not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
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
from spikelore.rules.diagnosing import diagnose

OUT = Console(width=150, highlight=False)
RECENT = 300
"""Steps before the onset in which a warning can belong to it, where the start of the fault is not known."""
Warned: TypeAlias = list[tuple[int, str]]
"""(step, quantity) of each warning."""
Job: TypeAlias = tuple[Result, RunEvidence]
TRAINSCOPE = Path(__file__).parent / "trainscope_rule.py"


def live(evidence: RunEvidence) -> Warned:
    """Return every warning that a watcher would have given while the job ran."""
    followed, detector = EarlyWarnings(), OnlineDetector()
    found = []
    for step in evidence.primary.steps:
        loss = step.v.get("loss")
        if isinstance(loss, float | int):
            detector.push(step.step, float(loss), step.epoch)
        found += [(p.step, p.quantity) for p in followed.push(step.step, step.v) if detector.calm]
    return found


def diagnosed(evidence: RunEvidence) -> Warned:
    """Return what the diagnosis says had moved before."""
    return [(moved.step, moved.quantity) for moved in diagnose(evidence).precursors]


def _on_norm(rule: Callable[[np.ndarray], list[int]]) -> Callable[[RunEvidence], Warned]:
    def alarms(evidence: RunEvidence) -> Warned:
        norms = evidence.primary.series("grad.norm")
        finite = np.isfinite(norms.value)
        steps = norms.step[finite]
        return [(int(steps[index]), "grad.norm") for index in rule(norms.value[finite])]

    return alarms


RULES: dict[str, Callable[[RunEvidence], Warned]] = {
    "spikelore, live": live,
    "spikelore, diagnosis": diagnosed,
    "ZClip, z > 2.5": _on_norm(zclip),
    "CUSUM of the norm": _on_norm(cusum),
}


def main() -> None:
    """Run the jobs that have not run yet, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("id", nargs="?", default="", help="part of the ids of the jobs wanted")
    parser.add_argument("--runs", type=Path, help="folder that runs are kept in, and taken from")
    parser.add_argument("--others", type=Path, metavar="PYTHON", help="a Python that has trainscope")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.runs or Path(scratch)
        found = [
            (result, evidence_of(result.job, folder))
            for result in (run(job, folder) for job in jobs(options.id))
        ]
    warned = {name: [rule(evidence) for _, evidence in found] for name, rule in RULES.items()}
    if options.others is not None:
        name, alarms = trainscope(options.others, [evidence for _, evidence in found])
        warned[name] = alarms
    else:
        OUT.print("trainscope itself was not run: name a Python that has it with --others")
    _leads(found, warned)
    _summary(found, warned)


def trainscope(python: Path, runs: list[RunEvidence]) -> tuple[str, list[Warned]]:
    """Return the name and version of trainscope, and its alarms on the losses of each run.

    Raises:
        SystemExit: that Python has no trainscope, or one whose detector is used otherwise.
    """
    series = [run.primary.series("loss") for run in runs]
    given = json.dumps({str(place): losses.value.tolist() for place, losses in enumerate(series)})
    done = subprocess.run([python, TRAINSCOPE], input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{python}: trainscope does not run: {done.stderr.strip().splitlines()[-1]}")
    answer = json.loads(done.stdout)
    alarms = [
        [(int(losses.step[index]), "loss") for index in answer["alarms"][str(place)]]
        for place, losses in enumerate(series)
    ]
    return f"trainscope {answer['version']}", alarms


def _began(result: Result) -> int | None:
    """Return the step from which on a warning belongs to the fault."""
    onset = result.finding.onset
    if result.job.fault_step is not None or onset is None or onset.step is None:
        return result.job.fault_step
    return onset.step - RECENT


def _early(result: Result, warnings: Warned) -> Warned:
    """Return the warnings that belong to the fault and come before the loss shows it."""
    onset, began = result.finding.onset, _began(result)
    if onset is None or onset.step is None or began is None:
        return []
    return [(step, name) for step, name in warnings if began <= step < onset.step]


def _false(result: Result, warnings: Warned) -> Warned:
    """Return the warnings of a healthy job, or those before its fault."""
    began = _began(result)
    return [(step, name) for step, name in warnings if not result.job.faulty or step < (began or 0)]


def _lead(result: Result, early: Warned) -> int | None:
    """Return the steps from the first early warning to the first bad loss."""
    onset = result.finding.onset
    return onset.step - early[0][0] if early and onset is not None and onset.step is not None else None


def _leads(found: list[Job], warned: dict[str, list[Warned]]) -> None:
    table = Table("job", "onset", *warned, title="Steps from the first warning to the first bad loss")
    for place, (result, _) in enumerate(found):
        early = [_early(result, each[place]) for each in warned.values()] if result.job.faulty else []
        onset = result.finding.onset
        if any(early) and onset is not None:
            cells = [f"{_lead(result, each)} ({each[0][1]})" if each else "-" for each in early]
            table.add_row(result.job.id, str(onset.step), *cells)
    OUT.print(table)


def _summary(found: list[Job], warned: dict[str, list[Warned]]) -> None:
    table = Table("", *warned, title="In all")
    columns = [_column(found, warnings) for warnings in warned.values()]
    for row in columns[0]:
        table.add_row(row, *(column[row] for column in columns))
    OUT.print(table)


def _column(found: list[Job], warnings: list[Warned]) -> dict[str, str]:
    pairs = [(result, each) for (result, _), each in zip(found, warnings, strict=True)]
    faulty = [pair for pair in pairs if pair[0].job.faulty and pair[0].finding.onset is not None]
    healthy = [each for result, each in pairs if not result.job.faulty]
    leads = [lead for result, each in faulty if (lead := _lead(result, _early(result, each))) is not None]
    wrong = sum(bool(_false(result, each)) for result, each in faulty)
    return {
        "faulty jobs with an onset": str(len(faulty)),
        "warned before the loss jumped": str(len(leads)),
        "median lead in steps": f"{statistics.median(leads):g}" if leads else "-",
        "faulty jobs with a warning before the fault": str(wrong),
        "healthy jobs": str(len(healthy)),
        "healthy jobs with a warning": str(sum(map(bool, healthy))),
        "warnings on healthy jobs": str(sum(map(len, healthy))),
    }


if __name__ == "__main__":
    main()
