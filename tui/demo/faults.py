"""The bugs of the demonstration, each as it happens in real scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from .model import DigitNet, GradientMultiplier

if TYPE_CHECKING:
    from pathlib import Path

    from .job import Job

ONSET = 16
"""Epochs that pass before a bug shows, so that it strikes in epoch 17."""


class Fault:
    """No fault; the base of all others."""

    cause = "healthy"
    onset = ONSET

    def prepare(self, job: Job) -> None:
        """Run once before training."""

    def before_epoch(self, job: Job) -> None:
        """Run when an epoch begins."""
        if not job.model.training:
            job.model.train()

    def batch(
        self, job: Job, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the batch to train on."""
        return images, labels

    def loss(self, job: Job, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss to minimise."""
        loss: torch.Tensor = job.criterion(logits, labels)
        return loss

    def after_step(self, job: Job) -> None:
        """Run after the optimizer's step."""

    def strikes(self, job: Job) -> bool:
        """Tell whether the bug has set in."""
        return job.epoch >= self.onset


class LabelContamination(Fault):
    """Images are shuffled for augmentation, and their labels are forgotten."""

    cause = "data.label-contamination"

    def batch(
        self, job: Job, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return (images[torch.randperm(len(images))], labels) if self.strikes(job) else (images, labels)


class AbnormalFeatures(Fault):
    """Rows of a dead sensor carry its error code instead of a reading."""

    cause = "data.abnormal-features"

    def batch(
        self, job: Job, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self.strikes(job):
            images = images.clone()
            images[:3, :, 2:4, 2:4] = 1000.0
        return images, labels


class LoadingError(Fault):
    """A rewritten reader takes unsigned bytes for signed ones."""

    cause = "data.loading-error"

    def batch(
        self, job: Job, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self.strikes(job):
            images = (images * 255).to(torch.uint8).view(torch.int8).float() / 16.0
        return images, labels


class FeatureDrift(Fault):
    """Another camera: brighter and with less contrast, within the range seen so far."""

    cause = "data.feature-drift"

    def batch(
        self, job: Job, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return (1.0 - 0.75 * images, labels) if self.strikes(job) else (images, labels)


class ExplodingGradients(Fault):
    """The backbone is unfrozen for good, and its gradient multiplier is 250 where 0.25 was meant.

    The forward pass and so the loss of that batch are what they always were; the gradient is not.
    """

    cause = "model.exploding-gradients"

    def prepare(self, job: Job) -> None:
        job.model.features.append(GradientMultiplier(0.25))  # type: ignore[operator, union-attr]

    def before_epoch(self, job: Job) -> None:
        super().before_epoch(job)
        if self.strikes(job):
            job.model.features[-1].factor = 250.0  # type: ignore[index, union-attr]


class BatchNormCorruption(Fault):
    """A stuck reader repeats one sample, and the running statistics follow it."""

    cause = "model.batchnorm-corruption"
    stuck = 400

    def prepare(self, job: Job) -> None:
        job.replace_model(DigitNet(norm=True))

    def batch(
        self, job: Job, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self.strikes(job) and self.stuck > 0:
            self.stuck -= 1
            images, labels = images[:1].expand_as(images), labels[:1].expand_as(labels)
        return images, labels


class LearningRateSurge(Fault):
    """The schedule grows where it should decay: gamma 40 was typed for 0.3."""

    cause = "strategy.lr-surge"

    def before_epoch(self, job: Job) -> None:
        super().before_epoch(job)
        if job.epoch == ONSET - 1:
            job.scheduler.gamma = 40.0  # type: ignore[attr-defined]


class OptimizerMisconfigured(Fault):
    """At the second stage a new optimizer is made, its betas in the wrong order."""

    cause = "strategy.optimizer-misconfigured"

    def before_epoch(self, job: Job) -> None:
        super().before_epoch(job)
        if job.epoch == ONSET:
            lr = 0.003
            job.optimizer = torch.optim.Adam(job.model.parameters(), lr=lr, betas=(0.999, 0.1), eps=1e-12)
            job.scheduler = torch.optim.lr_scheduler.StepLR(job.optimizer, step_size=8, gamma=0.3)


class CheckpointCorrupt(Fault):
    """The file that the job resumes from was damaged on disk."""

    cause = "environment.checkpoint-corrupt"

    def before_epoch(self, job: Job) -> None:
        super().before_epoch(job)
        if job.epoch == ONSET:
            job.save()
            damage(job.checkpoint)
            job.resume()


class OutOfMemory(Fault):
    """An out-of-memory is caught; the clean-up that follows frees more than it should."""

    cause = "environment.oom-corruption"

    def after_step(self, job: Job) -> None:
        if job.epoch == ONSET and not self.done:
            self.done = True
            try:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            except torch.OutOfMemoryError:
                with torch.no_grad():
                    weight = next(p for p in job.model.parameters() if p.dim() == 2)
                    weight[::2].fill_(0.5)

    done = False


class UndefinedLoss(Fault):
    """A filter masks every target of a batch, and the mean over no target is not a number."""

    cause = "numerics.undefined-loss"

    def batch(
        self, job: Job, images: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return images, torch.full_like(labels, -100) if self.strikes(job) else labels


def damage(path: Path) -> None:
    """Overwrite a block of weights in a file, as a bad sector or a broken copy does."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 3 // 64 * 64
    content[middle : middle + 4096] = b"A" * 4096
    path.write_bytes(content)


def find(cause: str) -> Fault:
    """Return the fault of a cause.

    Raises:
        SystemExit: there is none.
    """
    kinds: tuple[type[Fault], ...] = (Fault, *Fault.__subclasses__())
    known = {fault.cause: fault for fault in kinds}
    if cause not in known:
        raise SystemExit(f"--fault {cause}: valid are {', '.join(known)}")
    return known[cause]()
