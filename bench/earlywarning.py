"""What was told before the loss jumped, over the jobs of ``bench/gym``: ours beside other rules.

    python bench/earlywarning.py [ID] [--runs FOLDER] [--others PYTHON]

All see the same recorded runs. ZClip's rule alarms on a gradient norm more than 2.5 standard deviations above
its moving average; the CUSUM is a cumulative sum of robust deviations of the gradient norm, upward only. Both
are written from their descriptions. ``--others`` names a Python that has trainscope: its own detector, with
its own settings, follows the loss. A warning is early when it comes after the fault began and before the
first bad loss; one before the fault, or on a healthy job, is false. *Live* is what a watcher says while the
job runs; *diagnosis* what the diagnosis adds once the loss has jumped, from nothing but the steps before.
``SPIKELORE_BUDGET=1`` records every quantity on every step, which on steps of a millisecond the default
budget does not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from gym_jobs import Result, evidence_of, jobs, run
from rich.console import Console
from rich.table import Table
from rivals import cusum, zclip
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.rules.detector.live import LiveDetector
from spikelore.rules.diagnosing import diagnose

OUT = Console(width=150, highlight=False)
TRAINSCOPE = Path(__file__).parent / "trainscope_rule.py"
RECENT = 300
"""Steps before the onset in which a warning can belong to it, where the start of the fault is not known."""
_Rule: TypeAlias = Callable[[RunEvidence], list[tuple[int, str]]]


def live(evidence: RunEvidence) -> list[tuple[int, str]]:
    """Return (step, quantity) of every warning that a watcher would have given while the job ran."""
    detector = LiveDetector()
    return [(p.step, p.quantity) for step in evidence.primary.steps for p in detector.push(step)[1]]


def diagnosed(evidence: RunEvidence) -> list[tuple[int, str]]:
    """Return (step, quantity) of what the diagnosis says had moved before."""
    return [(moved.step, moved.quantity) for moved in diagnose(evidence).precursors]


def trainscope(python: Path, runs: list[RunEvidence]) -> tuple[str, list[list[tuple[int, str]]]]:
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


def _on_norm(rule: Callable[[np.ndarray], list[int]]) -> _Rule:
    def alarms(evidence: RunEvidence) -> list[tuple[int, str]]:
        norms = evidence.primary.series("grad.norm")
        finite = np.isfinite(norms.value)
        steps = norms.step[finite]
        return [(int(steps[index]), "grad.norm") for index in rule(norms.value[finite])]

    return alarms


RULES: dict[str, _Rule] = {
    "spikelore, live": live,
    "spikelore, diagnosis": diagnosed,
    "ZClip, z > 2.5": _on_norm(zclip),
    "CUSUM of the norm": _on_norm(cusum),
}


@dataclass(frozen=True)
class Told:
    """What each rule said of one run: (step, quantity) of every warning."""

    result: Result
    warnings: dict[str, list[tuple[int, str]]]

    @property
    def onset(self) -> int | None:
        """Step of the first bad loss that the detector found."""
        return self.result.finding.onset.step if self.result.finding.onset else None

    @property
    def began(self) -> int | None:
        """Step at which the fault began, None where that is not known."""
        known = self.result.job.fault_step
        return known if known is not None or self.onset is None else self.onset - RECENT

    def early(self, rule: str) -> list[tuple[int, str]]:
        """Return the warnings that belong to the fault and come before the loss shows it."""
        if self.onset is None or self.began is None:
            return []
        return [(step, name) for step, name in self.warnings[rule] if self.began <= step < self.onset]

    def false(self, rule: str) -> list[tuple[int, str]]:
        """Return the warnings of a healthy job, or those before its fault."""
        if not self.result.job.faulty:
            return self.warnings[rule]
        return [each for each in self.warnings[rule] if self.began is not None and each[0] < self.began]


def main() -> None:
    """Run the jobs that have not run yet, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("id", nargs="?", default="", help="part of the ids of the jobs wanted")
    parser.add_argument("--runs", type=Path, help="folder that runs are kept in, and taken from")
    parser.add_argument("--others", type=Path, metavar="PYTHON", help="a Python that has trainscope")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.runs or Path(scratch)
        runs = [(run(job, folder), evidence_of(job, folder)) for job in jobs(options.id)]
    found = [
        Told(result, {name: rule(evidence) for name, rule in RULES.items()}) for result, evidence in runs
    ]
    if options.others is None:
        OUT.print("trainscope itself was not run: name a Python that has it with --others")
    else:
        name, alarms = trainscope(options.others, [evidence for _, evidence in runs])
        for told, each in zip(found, alarms, strict=True):
            told.warnings[name] = each
    _leads([told for told in found if told.result.job.faulty])
    _summary(found)


def _leads(found: list[Told]) -> None:
    rules = list(found[0].warnings) if found else []
    table = Table("job", "onset", *rules, title="Steps from the first warning to the first bad loss")
    for told in found:
        early = [told.early(rule) for rule in rules]
        if told.onset is not None and any(early):
            cells = [f"{told.onset - each[0][0]} ({each[0][1]})" if each else "-" for each in early]
            table.add_row(told.result.job.id, str(told.onset), *cells)
    OUT.print(table)


def _summary(found: list[Told]) -> None:
    faulty = [told for told in found if told.result.job.faulty and told.onset is not None]
    healthy = [told for told in found if not told.result.job.faulty]
    rules = list(found[0].warnings) if found else []
    table = Table("", *rules, title="In all")
    rows: dict[str, list[str]] = {}
    for rule in rules:
        early = [(told.onset, told.early(rule)) for told in faulty]
        leads = [onset - each[0][0] for onset, each in early if each and onset is not None]
        quiet = [len(told.false(rule)) for told in healthy]
        for name, text in (
            ("faulty jobs with an onset", str(len(faulty))),
            ("warned before the loss jumped", str(len(leads))),
            ("median lead in steps", f"{statistics.median(leads):g}" if leads else "-"),
            (
                "faulty jobs with a warning before the fault",
                str(sum(bool(told.false(rule)) for told in faulty)),
            ),
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
