"""The training loss, and how it spreads over the samples of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch import Tensor

    from ..agent.graph import LossTerm
    from ..agent.step import OpenStep


class Loss(Sensor):
    """The loss itself is taken by the session, which needs it to know when to look closer."""

    name = "loss"
    FIELDS = (
        Field(
            "loss", "loss", "scalar", "step", "Sum of the step's backward roots; AMP's scale is taken out."
        ),
        Field("loss.micro", "count", "scalar", "step", "Backward calls of the step (gradient accumulation)."),
        Field("loss.divisor", "count", "scalar", "step", "The plain number the loss was divided by, if any."),
        Field("step.time", "s", "scalar", "step", "From the end of the last step to the end of this one."),
        Field("probe.time", "s", "scalar", "step", "Part of it that probes took."),
    )


class SampleLoss(Sensor):
    """Loss of single samples, computed again from what the autograd graph kept."""

    name = "sample-loss"
    sampled = True
    FIELDS = (
        Field("loss.sample_p50", "loss", "scalar", "sampled", "Median of the batch's per-sample losses."),
        Field("loss.sample_max", "loss", "scalar", "sampled", "Largest per-sample loss of the batch."),
    )

    def finish(self, step: OpenStep) -> None:
        """Fill in both, where the loss is one that has a value per sample."""
        if step.micro is None or not step.micro.terms:
            return
        losses = per_sample(step.micro.terms[0])
        if losses is None or not losses.numel():
            return
        pair = torch.stack([losses.median(), losses.max()])

        def fill(numbers: list[float]) -> None:
            step.v["loss.sample_p50"], step.v["loss.sample_max"] = numbers

        step.later(pair, fill)


def per_sample(term: LossTerm) -> Tensor | None:
    """Return the loss of each sample of a term, float32 [n], or None where it has none.

    Negative log-likelihood is minus the log-probability of the target; the element losses are averaged
    over all but the first dimension, as their ``mean`` reduction does.
    """
    prediction, target = term.prediction.float(), term.target
    if term.kind == "nll":
        if prediction.dim() != 2:
            return None
        # A target that is left out is read at class 0 and then given no loss: the shape stays the same.
        valid = target.ne(term.ignore if term.ignore is not None else -1)
        safe = torch.where(valid, target, 0)
        return -prediction.gather(1, safe.unsqueeze(1)).squeeze(1) * valid
    if term.kind == "mse" and prediction.shape == target.shape and prediction.dim():
        squares = (prediction - target) ** 2
        return squares.flatten(1).mean(1) if squares.dim() > 1 else squares
    return None
