"""A training script as people write it: digits, a small CNN, SGD with a step schedule.

It knows nothing of any probe. ``--fault`` builds one bug in; see catalogue.py.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from .faults import Fault, find
from .model import DigitNet, load_digits


@dataclass
class Job:
    """Everything that the training loop uses, so that a bug can reach it."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    train: DataLoader[tuple[torch.Tensor, ...]]
    val: DataLoader[tuple[torch.Tensor, ...]]
    criterion: nn.Module = field(default_factory=lambda: nn.CrossEntropyLoss(label_smoothing=0.1))
    checkpoint: Path = Path("digits-last.pt")
    epoch: int = 0

    def replace_model(self, model: nn.Module) -> None:
        """Train another network."""
        self.model = model
        self.optimizer, self.scheduler = optimization(model)

    def save(self) -> None:
        """Write a checkpoint that training can resume from."""
        state = {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
        }
        torch.save(state, self.checkpoint)

    def resume(self, with_schedule: bool = True) -> None:
        """Start over from the checkpoint, as after a preemption."""
        state = torch.load(self.checkpoint, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.epoch = state["epoch"]
        self.optimizer, self.scheduler = optimization(self.model)
        if with_schedule:
            self.optimizer.load_state_dict(state["optimizer"])
            self.scheduler.load_state_dict(state["scheduler"])


def optimization(
    model: nn.Module,
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Return a fresh optimizer and its step schedule."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=8, gamma=0.3)
    return optimizer, schedule


def build(seed: int, workdir: Path) -> Job:
    """Set the job up."""
    torch.manual_seed(seed)
    images, labels = load_digits()
    train, val = random_split(TensorDataset(images, labels), [1437, 360])
    model = DigitNet()
    optimizer, scheduler = optimization(model)
    return Job(
        model=model,
        optimizer=optimizer,
        scheduler=scheduler,
        train=DataLoader(train, batch_size=64, shuffle=True),
        val=DataLoader(val, batch_size=120),
        checkpoint=workdir / "digits-last.pt",
    )


def batches(job: Job, fault: Fault) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the batches of one epoch."""
    for images, labels in job.train:
        yield fault.batch(job, images, labels)


def train_epoch(job: Job, fault: Fault, pace: float) -> float:
    """Train one epoch and return the mean loss."""
    total = 0.0
    for images, labels in batches(job, fault):
        job.optimizer.zero_grad()
        loss = fault.loss(job, job.model(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        job.optimizer.step()
        fault.after_step(job)
        total += loss.item()
        time.sleep(pace)
    return total / len(job.train)


@torch.no_grad()
def evaluate(job: Job) -> tuple[float, float]:
    """Return validation loss and accuracy."""
    job.model.eval()
    loss, hits, count = 0.0, 0, 0
    for images, labels in job.val:
        logits = job.model(images)
        loss += job.criterion(logits, labels).item() * len(labels)
        hits += int((logits.argmax(1) == labels).sum())
        count += len(labels)
    return loss / count, hits / count


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", default="healthy")
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pace", type=float, default=0.0)
    parser.add_argument("--workdir", type=Path, default=Path())
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    fault = find(arguments.fault)
    job = build(arguments.seed, arguments.workdir)
    fault.prepare(job)
    while job.epoch < arguments.epochs:
        fault.before_epoch(job)
        train_loss = train_epoch(job, fault, arguments.pace)
        val_loss, accuracy = evaluate(job)
        job.scheduler.step()
        job.epoch += 1
        print(
            f"epoch {job.epoch:2d}  train loss {train_loss:8.4f}  val loss {val_loss:8.4f}  "
            f"accuracy {accuracy:.3f}  lr {job.scheduler.get_last_lr()[0]:.5f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
