"""Do the ranks still hold the same parameters? Told offline, from what each rank writes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import torch
from torch import Tensor

from ..agent.modelmap import local, parameters_of
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..agent.step import OpenStep

EVERY = 50
"""Steps between two samples: the same on every rank, whatever each one's budget allows."""
ELEMENTS = 64


class Agreement(Sensor):
    """Writes a strided sample of the parameters on steps that all ranks have in common.

    No collective is involved: a comparison is made by whoever reads the evidence of all ranks.
    """

    name = "agreement"
    FIELDS = (
        Field(
            "param.sample",
            "weight",
            "list[64]",
            "sampled",
            "Evenly spaced parameter elements after every 50th update, and on steps whose loss stands out; jobs of several ranks only.",
        ),
        Field("param.count", "count", "scalar", "sampled", "Parameter elements that the sample stands for."),
        Field(
            "param.hash",
            "8 hex digits",
            "text",
            "sampled",
            "Of the sample, bit by bit: equal on ranks that agree.",
        ),
    )

    def after_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Take the sample when it is due."""
        if self.session.sink.world < 2:
            self.session.dispatch.retire(self)
            return
        if "param.sample" in step.v:
            return
        if step.index % EVERY and not step.full:
            return
        parameters = [p for p in parameters_of(optimizer) if p.numel()]
        if not parameters:
            return
        count = sum(p.numel() for p in parameters)
        step.v["param.count"] = count
        step.later(sample_of(parameters, count), lambda numbers: self._fill(step, numbers))

    def _fill(self, step: OpenStep, numbers: list[float]) -> None:
        step.v["param.sample"] = list(numbers)
        step.v["param.hash"] = f"{crc32(torch.tensor(numbers).numpy().tobytes()):08x}"


def sample_of(parameters: list[Tensor], count: int) -> Tensor:
    """Return 64 elements, or fewer of a smaller model, evenly spaced over all parameters in their order."""
    stride = max(1, count // ELEMENTS)
    taken, passed = [], 0
    for parameter in parameters:
        flat = local(parameter.detach()).reshape(-1)
        first = -passed % stride
        if first < flat.numel():
            taken.append(flat[first::stride].float())
        passed += flat.numel()
    return torch.cat(taken)[:ELEMENTS] if taken else torch.empty(0)
