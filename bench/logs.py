"""Scores verdicts on a folder of labelled logs, ours beside those of other command-line tools.

The folder holds ``index.csv`` with the columns ``id``, ``label`` and ``spike_at``, and one folder per id with
the log in it. Labels: spike, nan/inf, spike-recovered, divergence-slow, lr-restart-bump, overfit,
noisy-healthy, healthy.

    python bench/logs.py FOLDER [--others BIN] [--json FILE]

``--others`` names a folder with the commands losslint, trainspotter and runmedic, such as the ``bin`` of an
environment of their own. Their output is read generously: any warning or error on a loss that speaks of a
spike, of divergence or of non-finite values is an alarm.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from spikelore.probes.evidence import EvidenceError
from spikelore.probes.evidence.reader import Series
from spikelore.probes.importers import open_run
from spikelore.rules.detector import assess
from spikelore.rules.detector.curve import Curve
from spikelore.rules.detector.finding import Finding

BAD = ("spike", "nan/inf", "divergence-slow")
GOOD = ("healthy", "noisy-healthy", "overfit")
PATTERNS = {
    "spike-recovered": "pattern.transient-spike",
    "divergence-slow": "pattern.slow-divergence",
    "lr-restart-bump": "pattern.restart-bump",
    "overfit": "pattern.overfitting",
}
OTHERS = {
    "losslint": ("check", "--format", "json"),
    "trainspotter": ("analyze", "--output", "json"),
    "runmedic": ("diagnose", "--json"),
}
ALARMS = ("spike", "diverge", "nan", "non_finite", "nonfinite", "not finite")


@dataclass
class Row:
    """What one tool says of one log; None for what it does not tell."""

    log: str
    label: str
    read: bool
    alarm: bool = False
    right: bool | None = None
    onset: bool | None = None
    verdict: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Case:
    """One labelled log."""

    log: str
    label: str
    path: Path
    spike_at: float | None


def cases(folder: Path) -> Iterator[Case]:
    with (folder / "index.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            inside = [path for path in (folder / row["id"]).iterdir() if path.name != "meta.json"]
            at = float(row["spike_at"]) if row.get("spike_at") else None
            yield Case(row["id"], row["label"], inside[0], at)


def ours(case: Case) -> Row:
    started = time.perf_counter()
    try:
        evidence = open_run(case.path).primary
    except EvidenceError as error:
        return Row(case.log, case.label, False, verdict=str(error))
    train, val = evidence.series("loss"), evidence.series("val.loss", "eval")
    curves = (train, val, evidence.series("lr"), evidence.series("grad.norm"))
    finding = assess(*(Curve.from_series(series) if len(series) else None for series in curves))
    alarm = finding.verdict == "spike" or finding.pattern == "pattern.slow-divergence"
    verdict = " ".join(filter(None, (finding.verdict, finding.pattern)))
    return Row(
        case.log,
        case.label,
        True,
        alarm,
        is_right(case.label, finding),
        onset_hits(case, finding, train, val),
        verdict,
        time.perf_counter() - started,
    )


def is_right(label: str, finding: Finding) -> bool:
    if label == "spike":
        return finding.verdict == "spike"
    if label == "nan/inf":
        return finding.verdict == "spike" and finding.nonfinite
    if label in PATTERNS:
        return finding.pattern == PATTERNS[label]
    return finding.verdict == "healthy" or finding.pattern == "pattern.noise"


def onset_hits(case: Case, finding: Finding, train: Series, val: Series) -> bool | None:
    """Tell whether the onset is within one logged point of the labelled one, as a step or as a row."""
    if case.spike_at is None or case.label in GOOD:
        return None
    if finding.onset is None:
        return False
    series = train if finding.onset.series == "train" else val
    nearest = int(np.argmin(np.abs(series.step - case.spike_at)))
    if min(abs(finding.onset.index - nearest), abs(finding.onset.index - case.spike_at)) <= 1:
        return True
    return abs(finding.onset.step - case.spike_at) <= _spacing((train, val), case.spike_at)


def _spacing(curves: tuple[Series, ...], at: float) -> float:
    """Return the widest distance of neighbouring points at a step: a label may be on the sparser curve."""
    widest = 0.0
    for series in curves:
        if len(series) > 2:
            index = int(np.searchsorted(series.step, at))
            around = np.diff(series.step[max(0, index - 2) : index + 2])
            widest = max(widest, float(around.max(initial=0)))
    return widest


def theirs(tool: str, command: Path, case: Case) -> Row:
    arguments = list(OTHERS[tool])
    if tool == "trainspotter" and "tfevents" in case.path.name:
        arguments += ["--format", "tensorboard"]
    started = time.perf_counter()
    try:
        done = subprocess.run(
            [command, *arguments, case.path], capture_output=True, text=True, timeout=300, check=False
        )
        told = json.loads(done.stdout)
    except (json.JSONDecodeError, subprocess.TimeoutExpired):
        return Row(case.log, case.label, False)
    findings = told["findings"] if isinstance(told, dict) else [f for run in told for f in run["findings"]]
    alarms = [finding for finding in findings if is_alarm(finding)]
    verdict = "; ".join(sorted({_kind(finding) for finding in alarms}))
    return Row(
        case.log, case.label, True, bool(alarms), verdict=verdict, seconds=time.perf_counter() - started
    )


def is_alarm(finding: dict[str, Any]) -> bool:
    if finding.get("severity") not in ("warning", "error", "critical"):
        return False
    metric = str(finding.get("metric") or "loss").lower()
    return "loss" in metric and any(word in _kind(finding) for word in ALARMS)


def _kind(finding: dict[str, Any]) -> str:
    return str(finding.get("check") or finding.get("detector") or "").lower()


def version(command: Path) -> str:
    done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60, check=False)
    return (done.stdout or done.stderr).split()[-1]


def summary(tool: str, rows: list[Row]) -> list[str]:
    bad = [row for row in rows if row.label in BAD]
    good = [row for row in rows if row.label in GOOD]
    judged = [row.right for row in rows if row.right is not None]
    onsets = [row.onset for row in rows if row.onset is not None]
    return [
        tool,
        f"{sum(judged)}/{len(rows)}" if judged else "-",
        f"{sum(row.alarm for row in bad)}/{len(bad)}",
        f"{sum(row.alarm for row in good)}/{len(good)}",
        f"{sum(not row.read for row in rows)}/{len(rows)}",
        f"{sum(onsets)}/{len(onsets)}" if onsets else "-",
        f"{1000 * sum(row.seconds for row in rows) / max(1, len(rows)):.0f} ms",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--others", type=Path, help="folder with the other tools' commands")
    parser.add_argument("--json", type=Path, help="write every row here")
    options = parser.parse_args()
    known = list(cases(options.folder))
    results = {"spikelore": [ours(case) for case in known]}
    for tool in OTHERS if options.others else ():
        command = options.others / tool
        if command.exists():
            results[f"{tool} {version(command)}"] = [theirs(tool, command, case) for case in known]
    heads = ["tool", "verdict right", "alarms on bad", "alarms on good", "not read", "onset", "per log"]
    table = [heads, *(summary(tool, rows) for tool, rows in results.items())]
    widths = [max(len(row[i]) for row in table) for i in range(len(heads))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    for row in results["spikelore"]:
        if not row.right or row.onset is False:
            print(
                f"  {row.log}: labelled {row.label}, found {row.verdict}{'' if row.onset else ', onset off'}"
            )
    if options.json:
        rows = {tool: [asdict(row) for row in found] for tool, found in results.items()}
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
