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


@dataclass
class OpenStep:
    """An optimizer step from its first backward to its end.

    Attributes:
        index: optimizer steps since recording began, from 0.
        v: values for the record.
        full: every sensor shall run on this step.
        micro: the micro-batch to look at: the one with the largest loss so far.
        waiting: device tensors whose values come after the step, each with what to do with them.
    """

    index: int
    began: float = field(default_factory=time.time)
    v: dict[str, Value] = field(default_factory=dict)
    full: bool = False
    micro: Micro = field(default_factory=Micro)
    micro_count: int = 0
    stepped: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    device_losses: list[Tensor] = field(default_factory=list)
    scaled: bool = False
    epoch: float | None = None
    batch: int | None = None
    waiting: list[tuple[Tensor, Callable[[list[float]], None]]] = field(default_factory=list)

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
