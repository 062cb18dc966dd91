"""Builds small recorded runs for tests of facts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from spikelore.probes.evidence import Eval, Event, Header, RunDirectory, RunManifest, Step, encode
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.rules.facts.extract import extract
from spikelore.rules.facts.registry import FactSet, FactValue

ONSET = 100
LENGTH = 140


class Found:
    """A finding of the detector, as far as facts need it."""

    nonfinite = False
    recovered = False


def usual(step: int, random: np.random.Generator) -> dict[str, Any]:
    """Return what sensors see on an ordinary step of a classifier."""
    return {
        "loss": 0.5 + 0.02 * random.standard_normal(),
        "lr": 0.1,
        "grad.norm": 0.4 * float(np.exp(0.1 * random.standard_normal())),
        "grad.clip_calls": 0,
        "update.norm": 0.02 * float(np.exp(0.1 * random.standard_normal())),
        "update.ratio": 0.001,
        "weight.norm": 10.0 + 0.001 * step,
        "weight.drift": 0.0,
        "batch.size": 32,
        "batch.mean": 0.3 + 0.01 * random.standard_normal(),
        "batch.std": 0.4 + 0.01 * random.standard_normal(),
        "batch.min": 0.0,
        "batch.max": 1.0,
        "batch.nonfinite": 0.0,
        "batch.duplicates": 0.0,
        "batch.hash": f"{step:016x}",
        "label.hist": random.multinomial(32, [0.25] * 4).tolist(),
        "label.min": 0,
        "label.max": 3,
        "label.count": 32,
        "label.ignored": 0.0,
        "output.accuracy": 0.95,
        "output.purity": 0.96,
        "output.max": 8.0,
        "output.nonfinite": 0.0,
        "output.classes": 4,
        "mode.train": 1,
        "mode.train_share": 1.0,
    }


def record(
    path: Path,
    change: Callable[[int, dict[str, Any]], None] = lambda step, values: None,
    events: tuple[Event, ...] = (),
    evals: tuple[Eval, ...] = (),
    source: str = "probes",
) -> RunEvidence:
    """Write a run of LENGTH steps, ``change`` altering what a step shows, and read it back."""
    random = np.random.default_rng(0)
    run = RunDirectory.create(path / "run", RunManifest("r", 0.0, source=source))
    steps = []
    for step in range(LENGTH):
        values = usual(step, random)
        change(step, values)
        steps.append(Step(step, epoch=step / 20, batch=step % 20, v=values))
    records = [Header(1, "r"), *steps, *events, *evals]
    run.new_evidence_file(0).write_bytes(b"".join(encode(r) for r in records))
    return RunEvidence.load(run)


def facts_of(run: RunEvidence, onset: int | None = ONSET) -> FactSet:
    """Return the facts with the spike at ``onset``."""
    return extract(run, Found(), onset)


def values_of(run: RunEvidence, onset: int | None = ONSET) -> dict[str, FactValue]:
    """Return the bare values of `facts_of`."""
    return facts_of(run, onset).values_by_name()
