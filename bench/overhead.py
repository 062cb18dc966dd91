"""What probes cost: the same training step with and without them, alternated in one process.

Usage: python bench/overhead.py [--pairs 300] [--budget 0.01] [--rival wandb]

For each model: the paired difference of single steps (mean with its 95 % interval, and median), and what
the probes themselves timed in the loop. The start of a run, which is generous by design, is shown apart.
A rival is measured in the same way: ``wandb`` is ``wandb.watch(log="all", log_freq=100)`` with a log call
on every step, offline.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name every PyTorch user knows
from spikelore.probes.agent.session import Session, begin
from spikelore.probes.agent.settings import Settings
from spikelore.probes.evidence import RunDirectory, RunManifest
from spikelore.probes.evidence.reader import RunEvidence
from torch import nn
from torch.nn.modules import module as modules
from torch.optim import optimizer as optimizers

WARM_STEPS = 60
FAST_STEP = 0.005
FAST_LIMIT = 60e-6


@dataclass
class Loop:
    """One training loop.

    Attributes:
        step: runs one step on fresh data.
        share: part of ``--pairs`` to run, less for slower loops.
    """

    name: str
    step: Callable[[], Any]
    model: nn.Module
    share: float


def mlp() -> Loop:
    model = nn.Sequential(nn.Linear(256, 768), nn.ReLU(), nn.Linear(768, 768), nn.ReLU(), nn.Linear(768, 256))
    return _classifier("MLP 1M", model, torch.randn(128, 256), 256, 1.0)


def cnn() -> Loop:
    layers: list[nn.Module] = []
    width = 3
    for following in (32, 64, 128):
        layers += [
            nn.Conv2d(width, following, 3, padding=1),
            nn.BatchNorm2d(following),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        width = following
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 16, 10))
    return _classifier("CNN", model, torch.randn(32, 3, 32, 32), 10, 0.6)


def transformer() -> Loop:
    class Language(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(1000, 256)
            layer = nn.TransformerEncoderLayer(256, 4, 1024, batch_first=True)
            self.blocks = nn.TransformerEncoder(layer, 4)
            self.head = nn.Linear(256, 1000)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.head(self.blocks(self.embed(tokens))).flatten(0, 1)
            return logits

    return _classifier("transformer d=256", Language(), torch.randint(0, 1000, (4, 64)), 1000, 0.3)


def _classifier(name: str, model: nn.Module, inputs: torch.Tensor, classes: int, share: float) -> Loop:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    rows = inputs.numel() if inputs.dtype == torch.int64 else len(inputs)
    targets = torch.randint(0, classes, (rows,))

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return Loop(name, step, model, share)


class Hooks:
    """Takes the probes' hooks out of torch and puts them back, outside of what is timed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._dicts: list[dict[Any, Any]] = [
            modules._global_forward_hooks,
            modules._global_forward_pre_hooks,
            modules._global_forward_hooks_with_kwargs,
            optimizers._global_optimizer_pre_hooks,
            optimizers._global_optimizer_post_hooks,
        ]
        self._kept = [dict(hooks) for hooks in self._dicts]

    def out(self) -> None:
        self._session.patches.suspend()
        for hooks in self._dicts:
            hooks.clear()

    def back(self) -> None:
        self._session.patches.resume()
        for hooks, kept in zip(self._dicts, self._kept, strict=True):
            hooks.update(kept)
        # The steps without probes are no part of the next step's time, which the budget is a share of.
        self._session.interrupted()
        # Nor are their updates the work of somebody who is to be found out.
        if (watched := self._session.steps.quick.watched) is not None:
            watched.retake()


def timed(step: Callable[[], Any]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def paired(
    loop: Loop, pairs: int, on: Callable[[], None], off: Callable[[], None]
) -> list[tuple[float, float]]:
    """Return (with, without) seconds of single steps, in turn and in changing order."""
    found = []
    for number in range(pairs):
        times: dict[bool, float] = {}
        for probes in (True, False) if number % 2 else (False, True):
            (on if probes else off)()
            times[probes] = timed(loop.step)
        found.append((times[True], times[False]))
    return found


def describe(name: str, times: list[tuple[float, float]], own: float | None, note: str = "") -> str:
    """Return one row of the table."""
    base = statistics.median(without for _, without in times)
    differences = [a - b for a, b in times]
    # A step that the machine interrupted says nothing of probes: the largest and smallest 2 % go.
    differences = sorted(differences)[len(differences) // 50 : len(differences) - len(differences) // 50]
    mean = statistics.mean(differences)
    half = 1.96 * statistics.stdev(differences) / len(differences) ** 0.5
    inside = "-" if own is None else f"{own * 1e6:6.0f} us = {own / base:6.2%}"
    interval = f"[{(mean - half) / base:+6.2%}, {(mean + half) / base:+6.2%}]"
    median = f"median {statistics.median(differences) * 1e6:+7.0f} us"
    return f"{name:26} {base * 1e3:8.2f} ms  {mean / base:+6.2%} {interval}  {median}  {inside}  {note}"


def measure_probes(make: Callable[[], Loop], pairs: int, budget: float) -> str:
    torch.manual_seed(0)
    loop = make()
    for _ in range(10):
        loop.step()
    with tempfile.TemporaryDirectory() as folder:
        run = RunDirectory.create(Path(folder) / "run", RunManifest("bench", 0.0))
        session = begin(Settings(run.path, budget=budget))
        for _ in range(WARM_STEPS):
            loop.step()
        # What follows is the steady state: the one-off reserve of a run's start is spent.
        session.steps.planner.budget.reserve = 0.0
        for _ in range(20):
            loop.step()
        first = session.index
        hooks = Hooks(session)
        times = paired(loop, int(pairs * loop.share), hooks.back, hooks.out)
        hooks.back()
        session.lifecycle.end()
        rank = RunEvidence.load(run).primary
    spent = rank.series("probe.time")
    own = float(spent.value[spent.step >= first].mean())
    start = float(spent.value[spent.step < WARM_STEPS].sum())
    return describe(loop.name, times, own, f"start: {start * 1e3:.0f} ms over {WARM_STEPS} steps")


def measure_wandb(make: Callable[[], Loop], pairs: int) -> str:
    import wandb

    torch.manual_seed(0)
    loop = make()
    for _ in range(10):
        loop.step()
    with tempfile.TemporaryDirectory() as folder:
        run = wandb.init(mode="offline", dir=folder, project="bench", settings=wandb.Settings(silent=True))
        plain = loop.step

        def logged() -> None:
            run.log({"loss": plain()})

        def on() -> None:
            run.watch(loop.model, log="all", log_freq=100)
            loop.step = logged

        def off() -> None:
            run.unwatch(loop.model)
            loop.step = plain

        times = paired(loop, int(pairs * loop.share), on, off)
        run.finish()
    return describe(f"{loop.name}, wandb {wandb.__version__}", times, None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=300)
    parser.add_argument("--budget", type=float, default=0.01)
    parser.add_argument("--rival", choices=["wandb"], action="append", default=[])
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 thread, load {os.getloadavg()[0]:.1f}, budget {options.budget:.1%}")
    print(f"{'loop':26} {'step':>11}  difference [95 % interval]        and in the loop")
    for make in (mlp, cnn, transformer):
        print(measure_probes(make, options.pairs, options.budget), flush=True)
        if "wandb" in options.rival:
            print(measure_wandb(make, options.pairs), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
