"""How long a diagnosis takes on a long run, from the command line and from facts alone.

Writes a run of --steps steps with what the sensors record (a classifier whose rate jumps near the end),
then prints medians. The file itself is decoded in the same process as the yardstick: a diagnosis can
hardly be faster than reading its evidence once.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from spikelore.probes.evidence import Eval, Event, Header, RunDirectory, RunManifest, Step, encode
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.rules import conclude
from spikelore.rules.diagnosing import find
from spikelore.rules.facts.extract import extract


def step(index: int, onset: int, random: np.random.Generator) -> Step:
    bad = index >= onset
    v: dict[str, Any] = {
        "loss": (3.0 if bad else 0.5) + 0.02 * float(random.standard_normal()),
        "lr": 1.0 if index >= onset - 1 else 0.01,
        "grad.clip_calls": 0,
        "grad.zeroed": 1,
        "mode.train": 1,
        "mode.train_share": 1.0,
        "batch.size": 64,
        "weight.drift": 0.0,
        "step.time": 0.01,
        "probe.time": 0.0001,
        "loss.micro": 1,
        "update.norm": (0.5 if index >= onset - 1 else 0.01) + 0.0001 * float(random.random()),
        "grad.norm": 0.4 + 0.05 * float(random.random()),
        "weight.norm": 10.0 + 1e-5 * index,
    }
    if index % 4 == 0 or abs(index - onset) < 5:
        v |= {
            "batch.mean": 0.3 + 0.01 * float(random.standard_normal()),
            "batch.std": 0.4,
            "batch.min": 0.0,
            "batch.max": 1.0,
            "batch.nonfinite": 0.0,
            "batch.hash": f"{index:016x}",
            "batch.sample_hashes": [f"{index * 64 + i:016x}" for i in range(16)],
            "label.hist": random.multinomial(64, [0.1] * 10).tolist(),
            "output.accuracy": 0.95,
            "output.classes": 10,
        }
    return Step(index, time=0.01 * index, epoch=index / 1000, batch=index % 1000, v=v)


def write(folder: Path, steps: int) -> RunDirectory:
    random = np.random.default_rng(0)
    run = RunDirectory.create(folder / "run", RunManifest("bench", 0.0, state="finished"))
    onset = steps - 2000
    with run.new_evidence_file(0).open("wb") as stream:
        stream.write(encode(Header(1, "bench")))
        group = {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.0}
        stream.write(encode(Event("optimizer", 0, data={"index": 0, "class": "SGD", "groups": [group]})))
        for index in range(steps):
            stream.write(encode(step(index, onset, random)))
            if index % 1000 == 999:
                level = 3.0 if index >= onset else 0.55
                stream.write(encode(Eval(index + 1, epoch=(index + 1) / 1000, v={"val.loss": level})))
    return run


def median(repeat: int, task: Callable[[], object]) -> float:
    times = []
    for _ in range(repeat):
        begin = time.perf_counter()
        task()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = write(Path(folder), arguments.steps)
        size = sum(path.stat().st_size for _, _, path in run.evidence_files()) / 1e6
        command = [sys.executable, "-m", "spikelore.tui.cli", "diagnose", str(run.path), "--json"]
        evidence = RunEvidence.load(run)
        finding = find(evidence)
        onset = finding.onset.step if finding.onset else None
        facts = extract(evidence, finding, onset)
        read = median(arguments.repeat, lambda: RunEvidence.load(run))
        rows = [
            ("read the evidence", read),
            ("detector", median(arguments.repeat, lambda: find(evidence))),
            ("facts", median(arguments.repeat, lambda: extract(evidence, finding, onset))),
            ("rules, from facts", median(arguments.repeat, lambda: conclude(facts, finding))),
            (
                "spikelore diagnose --json",
                median(arguments.repeat, lambda: subprocess.run(command, capture_output=True, check=True)),
            ),
        ]
    print(f"{arguments.steps:,} steps, {size:.0f} MB of evidence, medians of {arguments.repeat}")
    print(f"{'part':<28}{'seconds':>10}{'x reading':>12}")
    for name, seconds in rows:
        print(f"{name:<28}{seconds:>10.3f}{seconds / read:>12.2f}")


if __name__ == "__main__":
    main()
