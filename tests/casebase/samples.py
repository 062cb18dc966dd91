"""Diagnoses and runs as the rest of the product makes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from spikelore.probes.evidence import Eval, Event, Header, RunDirectory, RunManifest, Step, encode
from spikelore.rules.diagnosis import Because, Cause, Diagnosis, Fix, Level, Spike

EXPLODING = "model.exploding-gradients"


def diagnosis(
    run: str = "run-1",
    step: int | None = 1200,
    cause: str = EXPLODING,
    ratio: float = 240.0,
    fixes: tuple[str, ...] = ("fix.clip-gradients", "fix.lower-rate"),
    **changes: object,
) -> Diagnosis:
    """Return the diagnosis of a spike that one fact explains."""
    found = Diagnosis(
        run=run,
        verdict="spike",
        spike=Spike(
            step=step,
            epoch=12.5,
            batch=3,
            train=Level(0.3, 4.8, 16.0),
            val=None,
            recovered=False,
            nonfinite=False,
        ),
        causes=[
            Cause(
                id=cause,
                certainty=0.9,
                role="root",
                rules=["gradient-led-loss"],
                because=[Because("grad.norm_ratio", ratio, ">= 10")],
                fixes=[Fix(id=name, when="now", text=name) for name in fixes],
            )
        ],
        facts={"grad.norm_ratio": ratio, "spike.ratio": 16.0, "grad.clipped": False},
        reason="The loss jumped.",
    )
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def manifest(run: str = "run-1", created: float = 1000.0, **changes: object) -> RunManifest:
    """Return the manifest of a run of one job."""
    found = RunManifest(
        id=run,
        created=created,
        command=["python", "/home/ann/job/train.py", "--lr", "0.1"],
        cwd="/home/ann/job",
        project="digits",
        host="gpu-box.example.org",
        settings={"lr": 0.1},
        versions={"torch": "2.4"},
    )
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def run_directory(
    path: Path,
    about: RunManifest,
    loss: Callable[[int], float],
    steps: int = 1600,
    values: Callable[[int], dict[str, float | int]] = lambda step: {},
    events: tuple[Event, ...] = (),
) -> RunDirectory:
    """Write a whole run: 100 steps an epoch, a validation loss at the end of each."""
    run = RunDirectory.create(path, about)
    file = run.new_evidence_file(0)
    lines = [encode(Header(1, about.id)), *(encode(event) for event in events)]
    for step in range(steps):
        lines.append(step_line(step, loss(step), values(step)))
        if step % 100 == 99:
            lines.append(encode(Eval(step, float(step), step / 100, {"val.loss": 1.1 * loss(step)})))
    file.write_bytes(b"".join(lines))
    return run


def step_line(step: int, loss: float, values: dict[str, float | int]) -> bytes:
    """Return the evidence line of one step."""
    record = {"loss": loss, "grad.norm": 1.0, "lr": 0.1, "batch.size": 32, **values}
    return encode(Step(step, float(step), step / 100, step % 100, record))
