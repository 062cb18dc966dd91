"""BatchNorm: jumps of the running statistics that later batches are normalised with."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _NormBase

from ..agent.modelmap import local
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.nn import Module

    from ..agent.step import OpenStep

_TINY = 1e-12


class BatchNorm(Sensor):
    """Compares the running statistics with those it saw when it last ran."""

    name = "batchnorm"
    sampled = True
    FIELDS = (
        Field(
            "bn.mean_shift",
            "deviations",
            "scalar",
            "sampled",
            "Largest |running mean - the one seen before| / running deviation before, over all BatchNorm channels.",
        ),
        Field(
            "bn.var_ratio",
            "factor",
            "scalar",
            "sampled",
            "Largest factor, up or down, between running variances now and before.",
        ),
        Field("bn.running_var_min", "variance", "scalar", "sampled", "Smallest running variance."),
        Field("bn.since", "steps", "scalar", "sampled", "Steps since the statistics compared with."),
    )

    def install(self) -> None:
        """No layer is known yet."""
        self._version = -1
        self._layers: list[weakref.ref[_NormBase]] = []
        self._before: tuple[Tensor, Tensor] | None = None
        self._step = 0

    def finish(self, step: OpenStep) -> None:
        """Compare and remember."""
        if self._version != self.session.model.version:
            self._survey()
        layers = [layer for layer in (ref() for ref in self._layers) if layer is not None]
        if not layers:
            return
        pairs = [(x.running_mean, x.running_var) for x in layers]
        means, variances = zip(
            *[(local(m), local(v)) for m, v in pairs if m is not None and v is not None], strict=True
        )
        mean, var = torch.cat(means).float(), torch.cat(variances).float()
        numbers = [var.min()]
        if self._before is not None and self._before[0].shape == mean.shape:
            old_mean, old_var = self._before
            ratio = (var + _TINY) / (old_var + _TINY)
            shift = (mean - old_mean).abs() / (old_var + _TINY).sqrt()
            numbers += [shift.max(), torch.maximum(ratio, 1 / ratio).max()]
            step.v["bn.since"] = step.index - self._step
        self._before, self._step = (mean, var), step.index
        step.later(torch.stack(numbers), lambda values: self._fill(step, values))

    def _fill(self, step: OpenStep, values: list[float]) -> None:
        step.v["bn.running_var_min"] = values[0]
        if len(values) == 3:
            step.v["bn.mean_shift"], step.v["bn.var_ratio"] = values[1], values[2]

    def _survey(self) -> None:
        self._version = self.session.model.version
        self._before = None
        layers = {id(m): m for root in self.session.model.roots for m in root.modules() if _tracks(m)}
        self._layers = [weakref.ref(layer) for layer in layers.values() if isinstance(layer, _NormBase)]


def _tracks(module: Module) -> bool:
    return isinstance(module, _NormBase) and module.running_mean is not None
