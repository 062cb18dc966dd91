"""Gradients: their norm before clipping, per top-level module, the largest element, non-finite ones."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..agent.modelmap import local_gradients, parameters_of
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..agent.step import OpenStep


class Gradients(Sensor):
    """Norms by one fused call over all tensors; a NaN or infinity anywhere shows in its tensor's norm."""

    name = "gradients"
    sampled = True
    FIELDS = (
        Field(
            "grad.norm",
            "L2",
            "scalar",
            "sampled",
            "All gradients before clipping, unscaled; on every step if the job clips by norm.",
        ),
        Field("grad.norm/{module}", "L2", "scalar", "sampled", "Gradients of one top-level module."),
        Field(
            "grad.sharded",
            "0/1",
            "scalar",
            "sampled",
            "1: norms are those of this rank's shard of the gradients.",
        ),
        Field(
            "grad.nonfinite", "count", "scalar", "sampled", "Parameter tensors with a non-finite gradient."
        ),
    )

    def install(self) -> None:
        """No step yet."""
        self._step = -1

    def _start(self, step: OpenStep) -> None:
        """Start the sums of a step, on whichever call of it comes first."""
        if self._step != step.index:
            self._step = step.index
            self._squares: dict[str, float] = {}
            self._nonfinite = 0
            self._seen: set[int] = set()

    def before_clip(self, step: OpenStep, parameters: Sequence[Tensor]) -> None:
        """Measure what is about to be clipped."""
        self._measure(step, [p for p in parameters if isinstance(p, Tensor)])

    def before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Measure what has not been clipped."""
        self._measure(step, parameters_of(optimizer))

    def _measure(self, step: OpenStep, parameters: Sequence[Tensor]) -> None:
        self._start(step)
        fresh = [p for p in parameters if id(p) not in self._seen]
        self._seen.update(map(id, fresh))
        pairs = local_gradients(fresh)
        if not pairs:
            return
        groups = [self.session.model.group(parameter) for parameter, _ in pairs]
        if any(hasattr(parameter, "to_local") for parameter, _ in pairs):
            step.v["grad.sharded"] = 1
        norms = norms_of([gradient for _, gradient in pairs])
        scale = self.session.scale_of(step)
        if scale is not None:
            norms = norms / scale
        step.later(norms, lambda numbers: self._take(step, groups, numbers))

    def _take(self, step: OpenStep, groups: list[str], norms: list[float]) -> None:
        squares = self._squares
        for group, norm in zip(groups, norms, strict=True):
            squares[group] = squares.get(group, 0.0) + norm * norm
            if not math.isfinite(norm):
                self._nonfinite += 1
        v = step.v
        for group, square in squares.items():
            v[f"grad.norm/{group}"] = math.sqrt(square)
        v.setdefault("grad.norm", math.sqrt(sum(squares.values())))
        v["grad.nonfinite"] = self._nonfinite


def norms_of(tensors: list[Tensor]) -> Tensor:
    """Return the L2 norm of each tensor, float32 or wider [n], on one device."""
    norms = list(torch._foreach_norm(tensors))
    device = norms[0].device
    if any(norm.device != device or norm.dtype != norms[0].dtype for norm in norms):
        norms = [norm.to(device=device, dtype=torch.float32) for norm in norms]
    return torch.stack(norms)


class LargestGradient(Sensor):
    """The largest gradient element, by minimum and maximum: far cheaper than an infinity norm."""

    name = "gradient-max"
    sampled = True
    FIELDS = (
        Field(
            "grad.max",
            "absolute",
            "scalar",
            "sampled",
            "Largest gradient element, after clipping if the job clips.",
        ),
    )

    def before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Look at every gradient of the optimizer."""
        ends = []
        for _, gradient in local_gradients(parameters_of(optimizer)):
            if gradient.numel() and not gradient.is_complex():
                low, high = gradient.aminmax()
                ends += [low.float(), high.float()]
        if ends:
            step.scalar("grad.max", torch.stack(ends).abs().max())


_MOST_PROBED = 4
"""Optimizers that are looked at; one for each parameter, as in updates within backward, would be too many."""


class GradientState(Sensor):
    """Whether an optimizer's gradients had been reset before the backward passes that it steps on.

    In adversarial training each backward also fills the gradients of the other network; those are no
    leftovers as long as they are reset before that network's own turn.
    """

    name = "gradient-state"
    sampled = True
    FIELDS = (
        Field(
            "grad.zeroed",
            "0/1",
            "scalar",
            "sampled",
            "1: gradients of the optimizers that update were absent or zero when a backward of the step began.",
        ),
    )

    def install(self) -> None:
        """No parameter is known before the first update."""
        self._probed: weakref.WeakKeyDictionary[Optimizer, list[weakref.ref[Tensor]]]
        self._probed = weakref.WeakKeyDictionary()
        self._step = -1
        self._least: dict[int, Tensor | float] = {}

    def after_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Choose the parameters to look at: the first, the largest and the last."""
        if optimizer in self._probed or len(self._probed) >= _MOST_PROBED:
            return
        trained = [p for p in parameters_of(optimizer) if p.grad is not None]
        if trained:
            chosen = (trained[0], max(trained, key=lambda p: p.numel()), trained[-1])
            self._probed[optimizer] = [weakref.ref(parameter) for parameter in chosen]

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """Look at the gradients of each optimizer until they are seen empty, from the first backward on."""
        if not step.micro_count:
            self._step = step.index
            self._least = {id(optimizer): _leftover(probed) for optimizer, probed in self._probed.items()}
        elif self._step == step.index:
            for optimizer, probed in self._probed.items():
                known = self._least.get(id(optimizer))
                if isinstance(known, torch.Tensor):
                    found = _leftover(probed)
                    both = isinstance(found, torch.Tensor)
                    self._least[id(optimizer)] = torch.minimum(known, found) if both else found  # type: ignore[arg-type]

    def finish(self, step: OpenStep) -> None:
        """Record what was seen of the optimizers that updated in this step."""
        if self._step != step.index:
            return
        for key in step.stepped:
            least = self._least.get(key)
            if isinstance(least, float):
                step.v.setdefault("grad.zeroed", 1)
            elif least is not None:
                step.later(least, lambda numbers: self._record(step, numbers[0]))

    @staticmethod
    def _record(step: OpenStep, least: float) -> None:
        if least == 0.0:
            step.v.setdefault("grad.zeroed", 1)
        else:
            step.v["grad.zeroed"] = 0


def _leftover(probed: Iterable[weakref.ref[Tensor]]) -> Tensor | float:
    """Return the sum of what gradients hold in absolute value; 0.0 where it is known to be nothing."""
    parameters = [parameter for parameter in (reference() for reference in probed) if parameter is not None]
    old = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not old:
        return 0.0
    held = torch.stack([gradient.detach().abs().sum().float() for gradient in map(_plain, old)]).sum()
    return 0.0 if held.device.type == "cpu" and not held else held


def _plain(gradient: Tensor) -> Tensor:
    from ..agent.tensors import dense, strided

    return strided(dense(gradient), 1024)
