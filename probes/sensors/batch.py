"""What the model is fed: size, moments, range and non-finite share of its inputs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..evidence import Field, Value
from .base import Sensor

if TYPE_CHECKING:
    from ..agent.step import OpenStep

_MAX_COLUMNS = 512
_MAX_FEATURES = 32
_MAX_INPUTS = 6


class Batch(Sensor):
    """Statistics of the inputs of the step's most telling micro-batch."""

    name = "batch"
    sampled = True
    FIELDS = (
        Field("batch.mean", "input", "scalar", "sampled", "Mean of the primary input."),
        Field("batch.std", "input", "scalar", "sampled", "Standard deviation of the primary input."),
        Field("batch.min", "input", "scalar", "sampled", "Smallest element of the primary input."),
        Field("batch.max", "input", "scalar", "sampled", "Largest element of the primary input."),
        Field("batch.nonfinite", "share", "scalar", "sampled", "Non-finite elements of the primary input."),
        Field(
            "batch.mean/{input}",
            "input",
            "scalar",
            "sampled",
            "Mean of a further input; std, min, max and nonfinite likewise.",
        ),
        Field("batch.kind", "float or int", "text", "sampled", "Type of the primary input."),
    )

    def finish(self, step: OpenStep) -> None:
        """Measure the primary input and a few others."""
        inputs = step.micro.inputs if step.micro is not None else []
        for place, (name, tensor) in enumerate(inputs[:_MAX_INPUTS]):
            if not tensor.numel() or tensor.is_complex():
                continue
            if not place:
                step.v["batch.kind"] = "float" if tensor.is_floating_point() else "int"
            self._measure(step, f"/{name}" if place else "", tensor)

    def _measure(self, step: OpenStep, suffix: str, tensor: Tensor) -> None:
        moments = moments_of(tensor)
        v = step.v

        def fill(numbers: list[float]) -> None:
            mean, square, low, high, bad = numbers
            count = tensor.numel()
            v[f"batch.mean{suffix}"], v[f"batch.min{suffix}"], v[f"batch.max{suffix}"] = mean, low, high
            v[f"batch.std{suffix}"] = _root(square)
            v[f"batch.nonfinite{suffix}"] = bad / count if count else 0.0

        step.later(moments, fill)


def moments_of(tensor: Tensor) -> Tensor:
    """Return mean, variance, minimum, maximum and number of non-finite elements, float64 [5].

    The moments and the range are those of the finite elements, where there are any.
    """
    values = tensor.detach()
    bad = 0
    if values.is_floating_point():
        values = values.float() if values.element_size() < 4 else values
        total = values.sum()
        if values.device.type == "cpu" and not math.isfinite(total.item()):
            finite = values[torch.isfinite(values)]
            bad = values.numel() - finite.numel()
            values = finite if finite.numel() else values
        low, high = values.aminmax()
    else:
        values = values.to(torch.float32) if values.dtype == torch.bool else values
        low, high = values.aminmax()
        values = values.float()
    mean = values.double().mean() if values.numel() < 4096 else values.mean().double()
    # The mean is taken off first: the difference of two large numbers would lose a small variance.
    spread = torch.linalg.vector_norm(values - mean.to(values.dtype)).double()
    variance = spread * spread / max(1, values.numel())
    return torch.stack(
        [
            mean,
            variance,
            low.double(),
            high.double(),
            torch.tensor(float(bad), dtype=torch.float64, device=mean.device),
        ]
    )


def _root(square: float) -> float:
    return math.sqrt(square) if square >= 0 else float("nan")


class Features(Sensor):
    """Per-feature statistics of tabular inputs, per-channel ones of images."""

    name = "features"
    sampled = True
    FIELDS = (
        Field(
            "batch.feature_mean",
            "input",
            "list[features]",
            "sampled",
            "Mean of each column (input [n, d <= 512]; at most 32 evenly spaced ones) or channel.",
        ),
        Field("batch.feature_std", "input", "list[features]", "sampled", "Standard deviation of the same."),
        Field(
            "batch.feature_max",
            "absolute",
            "list[features]",
            "sampled",
            "Largest absolute value of the same.",
        ),
    )

    def finish(self, step: OpenStep) -> None:
        """Measure the primary input when it has features."""
        if step.micro is None or not step.micro.inputs:
            return
        table = feature_table(step.micro.inputs[0][1])
        if table is None:
            return
        mean = table.mean(0)
        spread = (table - mean).square().mean(0).sqrt()
        numbers = torch.cat([mean, spread, table.abs().amax(0)])
        step.later(numbers, lambda values: self._fill(step.v, values))

    def _fill(self, v: dict[str, Value], values: list[float]) -> None:
        n = len(values) // 3
        v["batch.feature_mean"] = list(values[:n])
        v["batch.feature_std"] = list(values[n : 2 * n])
        v["batch.feature_max"] = list(values[2 * n :])


def feature_table(tensor: Tensor) -> Tensor | None:
    """Return an input as rows of at most 32 features, float32 [n, f], or None where it has none."""
    if not tensor.is_floating_point() or tensor.dim() not in (2, 4) or not tensor.numel():
        return None
    if tensor.dim() == 4:
        tensor = tensor.movedim(1, -1).flatten(0, 2)
    if tensor.shape[1] > _MAX_COLUMNS:
        return None
    every = -(-tensor.shape[1] // _MAX_FEATURES)
    return tensor[:, ::every].float()


class BatchSize(Sensor):
    """Number of samples in a step."""

    name = "batch-size"
    sampled = True
    FIELDS = (
        Field(
            "batch.size",
            "samples",
            "scalar",
            "sampled",
            "Length of the primary input's first dimension, summed over micro-batches.",
        ),
    )

    def finish(self, step: OpenStep) -> None:
        """Write what was counted."""
        if step.samples:
            step.v["batch.size"] = step.samples
