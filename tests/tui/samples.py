"""Run directories written with the real evidence encoder, the same on every machine."""

from __future__ import annotations

import math
import random
from pathlib import Path

from spikelore.casebase import Case, CaseLibrary, FixTried, Note
from spikelore.probes.evidence import Eval, Event, Gauge, Header, RunDirectory, RunManifest, Step, encode
from spikelore.probes.evidence.rundir import Alarm, write_atomic
from spikelore.rules.diagnosis import (
    Because,
    Cause,
    Diagnosis,
    Fix,
    Level,
    NotCause,
    Similar,
    Spike,
)

START = 1_764_000_000.0
EPOCH = 100
ONSET = 842


def manifest(name: str, **changes: object) -> RunManifest:
    base = RunManifest(
        id=name,
        created=START,
        name=name,
        command=["python", "train.py", "--lr", "0.001"],
        cwd="/home/ada/digits",
        git={"commit": "4f2a91c", "branch": "main", "dirty": False},
        versions={"python": "3.11.9", "torch": "2.13.0", "spikelore": "0.1.0"},
        settings={"lr": 0.001, "batch_size": 64, "weight_decay": 0.0001},
        state="finished",
        exit_code=0,
        ended=START + 312.0,
        host="trainer-7",
    )
    for key, value in changes.items():
        setattr(base, key, value)
    return base


def write(
    path: Path, about: RunManifest, steps: int = 1000, onset: int | None = None, nan_at: int = -1
) -> RunDirectory:
    """Write a run of a small classifier; from ``onset`` on its learning rate is a thousand times too high."""
    rng = random.Random(about.name)
    run = RunDirectory.create(path, about)
    lines = [encode(Header(1, about.id, time=START))]
    for step in range(steps):
        lines += records(rng, step, onset, nan_at)
    run.new_evidence_file(0).write_bytes(b"".join(lines))
    return run


def records(rng: random.Random, step: int, onset: int | None, nan_at: int = -1) -> list[bytes]:
    time, epoch = START + 0.3 * step, round(step / EPOCH, 4)
    after = onset is not None and step >= onset
    loss = 0.28 + 2.1 * math.exp(-step / 180) + rng.gauss(0, 0.03)
    loss = 4.4 + rng.gauss(0, 0.5) if after else loss
    loss = math.nan if 0 <= nan_at <= step else loss
    norm = (48.0 if after else 1.1) * math.exp(rng.gauss(0, 0.15))
    rate = 0.05 if onset is not None and step >= onset - 2 else 5e-5
    values = {
        "loss": loss,
        "grad.norm": norm,
        "lr": rate,
        "weight.norm": 21.0 + step / 500,
        "update.norm": rate * norm,
        "update.ratio": rate * norm / 21.0,
        "grad.clip_calls": 0,
        "output.accuracy": 0.1 if after else min(0.95, 0.2 + step / 900),
        "step.time": 0.026,
        "batch.size": 64,
    }
    out = [encode(Step(step, time, epoch=epoch, batch=step % EPOCH, v=dict(values)))]
    if step % EPOCH == EPOCH - 1:
        out.append(encode(Eval(step, time, epoch=epoch, v={"val.loss": loss + 0.12, "val.accuracy": 0.88})))
        out.append(
            encode(
                Gauge(
                    step,
                    time,
                    v={
                        "gpu.temperature/0": 67.0,
                        "gpu.utilization/0": 93.0,
                        "gpu.memory/0": 7.1e9,
                        "host.memory": 0.41,
                        "process.rss": 2.3e9,
                    },
                )
            )
        )
    if step == 600:
        out.append(
            encode(Event("checkpoint.save", step, time, {"path": "ckpt/epoch-6.pt", "bytes": 44_000_000}))
        )
    return out


def spiked(path: Path, name: str = "resnet-digits", **changes: object) -> RunDirectory:
    """Write a run whose loss spiked, with the alarm and the diagnosis that its watcher left."""
    run = write(path, manifest(name, **changes), onset=ONSET)
    alarm = Alarm("alarm", ONSET, START + 0.3 * ONSET, 8.42, 42, "loss", 0.31, 4.4, incident="20251124-lr")
    run.append_alarm(Alarm("warning", ONSET, START + 0.3 * ONSET, 8.42, 42, "loss", 0.31, 4.2))
    run.append_alarm(alarm)
    write_atomic(run.diagnosis_path, diagnosis(name).to_json())
    return run


def diagnosis(run: str = "resnet-digits") -> Diagnosis:
    """Return the diagnosis of `spiked`."""
    surge = Cause(
        id="strategy.lr-surge",
        certainty=0.94,
        role="root",
        rules=["strategy-lr-surge", "strategy-lr-surge-precedes"],
        title="Learning rate surge",
        summary="The learning rate rose a thousandfold two steps before the loss; the data did not change.",
        because=[
            Because(
                "lr.ratio",
                1000.0,
                ">= 10",
                meaning="Learning rate after the onset over before",
                window=(830, 842),
            ),
            Because(
                "lr.lead_steps",
                2,
                "<= 20",
                unit="steps",
                meaning="Steps from the change of the rate to the jump",
                window=(840, 842),
            ),
            Because(
                "grad.norm_ratio",
                43.6,
                ">= 10",
                meaning="Gradient norm at the spike over the median before",
                window=(742, 862),
            ),
            Because(
                "loss.ratio",
                14.2,
                ">= 2",
                meaning="Loss after the onset over the lowest before",
                window=(742, 862),
            ),
        ],
        fixes=[
            Fix(
                "fix.repair-schedule",
                "now",
                "Put the learning rate back to 5e-05 and resume from the checkpoint of step 600.",
                'for group in optimizer.param_groups:\n    group["lr"] = 5e-05',
                7,
                8,
            ),
            Fix(
                "fix.clip-gradients",
                "now",
                "Clip the gradient norm at 1.0 while the schedule is repaired.",
                "torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)",
                3,
                5,
            ),
            Fix(
                "fix.smooth-schedule",
                "for-good",
                "Use a smooth schedule, checked before training.",
                "scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1000)",
                4,
                4,
            ),
        ],
    )
    clip = Cause(
        id="model.no-gradient-clipping",
        certainty=0.71,
        role="contributing",
        rules=["model-no-gradient-clipping"],
        title="No gradient clipping",
        summary="Nothing limited the gradient norm, so one bad step could move the weights far.",
        because=[
            Because(
                "grad.clip_calls", 0, "== 0", meaning="Calls of a clipping function per step", window=(0, 862)
            ),
            Because(
                "grad.norm_max",
                61.8,
                "> 10",
                meaning="Largest gradient norm after the onset",
                window=(842, 862),
            ),
        ],
        fixes=[
            Fix(
                "fix.clip-gradients",
                "now",
                "Clip the gradient norm at 1.0.",
                "torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)",
                3,
                5,
            )
        ],
    )
    exploding = Cause(
        id="model.exploding-gradients",
        certainty=0.38,
        role="contributing",
        rules=["model-exploding-gradients"],
        title="Exploding gradients",
        summary="The gradient norm rose more than tenfold, after the learning rate did.",
        because=[
            Because(
                "grad.norm_ratio",
                43.6,
                ">= 10",
                meaning="Gradient norm at the spike over the median before",
                window=(742, 862),
            )
        ],
        fixes=[],
    )
    return Diagnosis(
        run=run,
        verdict="spike",
        spike=Spike(ONSET, 8.42, 42, Level(0.31, 4.4, 14.2), Level(0.43, 4.5, 10.5), False, False),
        causes=[surge, clip, exploding],
        ruled_out=[
            NotCause(
                "data.loading-error",
                ["the batch's mean stayed within 2 standard deviations (0.4)"],
                "Loading error",
            ),
            NotCause(
                "data.label-contamination", ["labels agree with the model as before (0.93)"], "Wrong labels"
            ),
            NotCause(
                "environment.compute-error",
                ["GPU temperature 67 C is under 95 C", "no ECC or Xid event was seen"],
                "Wrong arithmetic",
            ),
            NotCause(
                "model.batchnorm-corruption",
                ["the model has no BatchNorm layer"],
                "BatchNorm statistics wrecked",
            ),
        ],
        similar=[
            Similar(
                "20251102-transformer",
                0.91,
                "strategy.lr-surge",
                "fix.repair-schedule",
                "worked",
                ["lr.ratio", "grad.norm_ratio"],
                ["val.ratio"],
            ),
            Similar(
                "20250917-vit",
                0.64,
                "model.exploding-gradients",
                "fix.clip-gradients",
                "worked",
                ["grad.norm_ratio"],
                ["lr.ratio"],
            ),
        ],
        reason="The loss rose 14 times over its level and stayed there for 20 steps.",
    )


def cases(library: CaseLibrary) -> None:
    """Fill a library with a few incidents of a team."""
    surge = diagnosis("vit-base")
    library.add_many(
        [
            Case(
                id="20251102-vit-surge",
                state="resolved",
                title="Scheduler stepped once per batch instead of once per epoch",
                summary="The rate grew tenfold at every batch of epoch 9; the loss followed.",
                train_before=0.31,
                train_after=5.2,
                confirmed="strategy.lr-surge",
                created=START - 20 * 86400,
                resolved_by="grace",
                fixes=[
                    FixTried(
                        "fix.repair-schedule", "worked", 5.2, 0.3, "Moved scheduler.step() to the epoch loop."
                    )
                ],
                notes=[Note("Plot the schedule before training.", "grace")],
                tags=["vit"],
                diagnosis=surge,
                facts=surge.facts,
            ),
            Case(
                id="20251018-desync",
                state="resolved",
                title="Ranks drifted apart after a communication timeout",
                summary="Two of eight ranks missed an all-reduce; the loss of all jumped an epoch later.",
                train_before=0.8,
                train_after=3.9,
                confirmed="environment.rank-desync",
                created=START - 37 * 86400,
                fixes=[FixTried("fix.compare-ranks", "worked", 3.9, 0.8, "Compared the ranks each epoch.")],
            ),
            Case(
                id="20251120-nan",
                title="Loss is NaN after resuming in half precision",
                train_before=1.1,
                train_after="nan",
                predicted="numerics.fp16-overflow",
                nonfinite=True,
                created=START - 4 * 86400,
            ),
        ]
    )
