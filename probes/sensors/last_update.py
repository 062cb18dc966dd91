"""The update before this step, read from the optimizer's state.

When a loss stands out its step is looked at whole, but by then the update that may have caused it is over.
Adam's moments and SGD's momentum still hold it, so that it need not be measured on every step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..agent.modelmap import local
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..agent.step import OpenStep

_TENSORS = 32
_ELEMENTS = 8192


class LastUpdate(Sensor):
    """Size of the last update and of the momentum behind it, from up to 8,192 elements of the state."""

    name = "last_update"
    sampled = True
    FIELDS = (
        Field(
            "update.last",
            "L2",
            "scalar",
            "sampled",
            "The update of the step before at this step's rate, from the state of Adam or of SGD with momentum.",
        ),
        Field(
            "grad.moment", "L2", "scalar", "sampled", "First moment or momentum buffer before this update."
        ),
    )

    def install(self) -> None:
        """No step yet."""
        self._step = -1
        self._squares = (0.0, 0.0)

    def before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Read the state that the last update left behind."""
        if self._step != step.index:
            self._step, self._squares = step.index, (0.0, 0.0)
        squares = [pair for group in optimizer.param_groups for pair in _squares(optimizer.state, group)]
        if squares:
            updates, moments = zip(*squares, strict=True)
            total = torch.stack([torch.stack(updates).sum(), torch.stack(moments).sum()])
            step.later(total, lambda numbers: self._take(step, numbers))

    def _take(self, step: OpenStep, numbers: list[float]) -> None:
        update, moment = self._squares
        self._squares = update + numbers[0], moment + numbers[1]
        step.v["grad.moment"] = math.sqrt(self._squares[1])
        # RMSprop's state tells of the gradient but not of the update.
        if self._squares[0] > 0:
            step.v["update.last"] = math.sqrt(self._squares[0])


def _squares(state: Mapping[Any, Any], group: dict[str, Any]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the squared norms of update and moment for the largest tensors of a parameter group."""
    parameters = sorted(group["params"], key=lambda p: -p.numel())[:_TENSORS]
    total = sum(p.numel() for p in parameters)
    stride = max(1, total // _ELEMENTS)
    for parameter in parameters:
        kept = state.get(parameter)
        if not kept:
            continue
        found = _adam(parameter, kept, group, stride) or _momentum(kept, group, stride) or _root(kept, stride)
        if found is not None:
            update, moment = found
            scale = parameter.numel() / max(1, moment.numel())
            yield update.square().sum() * scale, moment.square().sum() * scale


def _thin(tensor: Tensor, stride: int) -> Tensor:
    flat = local(tensor.detach()).reshape(-1)
    return flat[::stride].float() if flat.numel() > stride else flat.float()


def _adam(
    parameter: Tensor, kept: Mapping[str, Any], group: dict[str, Any], stride: int
) -> tuple[Tensor, Tensor] | None:
    """Return update and first moment of Adam and its kin (Kingma and Ba, 2015; AdamW's decay included)."""
    first, second = kept.get("exp_avg"), kept.get("max_exp_avg_sq", kept.get("exp_avg_sq"))
    if not isinstance(first, Tensor) or not isinstance(second, Tensor) or "betas" not in group:
        return None
    count = float(kept.get("step", 0))
    if count < 1:
        return None
    beta1, beta2 = (float(beta) for beta in group["betas"])
    rate, eps = float(group["lr"]), float(group.get("eps", 1e-8))
    moment = _thin(first, stride)
    root = (_thin(second, stride) / max(1 - beta2**count, 1e-12)).sqrt_().add_(eps)
    update = moment.div(root).mul_(rate / max(1 - beta1**count, 1e-12))
    if group.get("decoupled_weight_decay") and group.get("weight_decay"):
        update.add_(_thin(parameter, stride), alpha=rate * float(group["weight_decay"]))
    return update, moment


def _momentum(kept: Mapping[str, Any], group: dict[str, Any], stride: int) -> tuple[Tensor, Tensor] | None:
    """Return update and buffer of SGD with momentum; with Nesterov's the update is off by its last gradient."""
    buffer = kept.get("momentum_buffer")
    if not isinstance(buffer, Tensor) or "square_avg" in kept:
        return None
    moment = _thin(buffer, stride)
    return moment * float(group["lr"]), moment


def _root(kept: Mapping[str, Any], stride: int) -> tuple[Tensor, Tensor] | None:
    """Return no update and the root of RMSprop's running average of squared gradients."""
    average = kept.get("square_avg")
    if not isinstance(average, Tensor):
        return None
    root = _thin(average, stride).sqrt()
    return torch.zeros_like(root[:1]), root
