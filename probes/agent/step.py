"""The optimizer step under observation and the micro-batches it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..evidence import Step, Value

if TYPE_CHECKING:
    from torch import Tensor

    from .graph import LossTerm


@dataclass
class Micro:
    """One forward and backward pass; held until its step is over, no longer.

    Attributes:
        inputs: name and tensor of each model input, the primary one first.
        targets: tensors that look like targets, from the model's keywords or the loader's batch.
        outputs: the model's primary output, when it is small enough to hold.
        terms: the losses found in the autograd graph.
        loss: unscaled value of the backward roots; None while it is still on the device.
    """

    inputs: list[tuple[str, Tensor]] = field(default_factory=list)
    targets: list[Tensor] = field(default_factory=list)
    outputs: Tensor | None = None
    terms: list[LossTerm] = field(default_factory=list)
    loss: float | None = None


class OpenStep:
    """An optimizer step from its first backward to its end.

    Attributes:
        index: optimizer steps since recording began, from 0.
        v: values for the record.
        full: every sensor shall run on this step.
        micro: the micro-batch to look at, the one with the largest loss so far; None on a step on
            which no sensor looks at batches.
        micro_count: backward calls so far.
        samples: rows in the inputs of the micro-batches looked at.
        stepped: ids of the optimizers that have updated.
        losses: unscaled loss of each backward, where known; ``device_losses`` those still on a device.
        scaled: gradients carry AMP's loss scale at this moment.
        waiting: device tensors whose values come after the step, each with what to do with them.
    """

    __slots__ = (
        "batch",
        "device_losses",
        "epoch",
        "full",
        "graph",
        "index",
        "losses",
        "micro",
        "micro_count",
        "samples",
        "scaled",
        "stepped",
        "v",
        "waiting",
    )

    def __init__(self, index: int) -> None:
        self.index = index
        self.v: dict[str, Value] = {"grad.clip_calls": 0}
        self.full = False
        self.graph: tuple[Any, list[Any]] | None = None
        self.micro: Micro | None = None
        self.micro_count = 0
        self.samples = 0
        self.stepped: list[int] = []
        self.losses: list[float] = []
        self.device_losses: list[Tensor] = []
        self.scaled = False
        self.epoch: float | None = None
        self.batch: int | None = None
        self.waiting: list[tuple[Tensor, Callable[[list[float]], None]]] = []

    def later(self, values: Tensor, fill: Callable[[list[float]], None]) -> None:
        """Hand the numbers of a small tensor to ``fill``: now on a CPU, after the step on a device.

        Reading a device tensor at once would make the job wait for the device.
        """
        if values.device.type == "cpu":
            numbers: Any = values.tolist()
            fill(numbers if isinstance(numbers, list) else [numbers])
        else:
            self.waiting.append((values.detach().reshape(-1), fill))

    def scalar(self, name: str, value: Tensor) -> None:
        """Record a one-element tensor under ``name``."""
        self.later(value, lambda numbers: self.v.__setitem__(name, numbers[0]))

    def record(self) -> Step:
        """The record to write."""
        return Step(self.index, time.time(), self.epoch, self.batch, self.v)
