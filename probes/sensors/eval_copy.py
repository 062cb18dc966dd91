"""Evaluation on a copy of the model, such as a moving average: how far its parts are from the trained one."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..agent.modelmap import local, unwrap
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.nn import Module
    from torch.optim import Optimizer

    from ..agent.step import OpenStep

_TENSORS = 32
_ELEMENTS = 4096
"""Elements read of each parameter: a distance needs no more."""


class EvalCopy(Sensor):
    """Compares a module that evaluates and is not trained with the trained one of the same parameters."""

    name = "eval-copy"
    FIELDS = (
        Field(
            "eval.copy",
            "share",
            "parameters, buffers, buffer",
            "event",
            "A copy of the trained model evaluates, such as a moving average: distance of its parameters from "
            "the trained ones over their norm (sampled), the same of its farthest buffer, and that one's name.",
        ),
    )

    def install(self) -> None:
        """No copy is known."""
        self._trained: set[int] = set()
        self._others: weakref.WeakSet[Module] = weakref.WeakSet()
        """Models that are no copies."""
        self._twins: weakref.WeakKeyDictionary[Module, weakref.ref[Module]] = weakref.WeakKeyDictionary()
        self._step = -1
        self._waiting: tuple[Tensor, list[str]] | None = None

    def meets(self, optimizer: Optimizer) -> None:
        """Take in which parameters are trained."""
        self._trained.update(id(p) for group in optimizer.param_groups for p in group["params"])

    def forward(self, module: Module, output: Any) -> None:
        """A model that evaluates has answered; the first batch of a pass is enough."""
        index = self.session.index
        if self._step == index or (self.session.gradients_on and module.training):
            return
        twin = self._twin(module)
        if twin is None:
            return
        self._step = index
        distances, names = _distances(unwrap(module), unwrap(twin))
        self._waiting = distances, names
        self.session.dispatch.listen(self, "finish", on=True)

    def finish(self, step: OpenStep) -> None:
        """Read the distances with the step that follows: on a device they may not be there earlier."""
        self.session.dispatch.listen(self, "finish", on=False)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            distances, names = waiting
            step.later(distances, lambda numbers: self._tell(numbers, names))

    def end(self) -> None:
        """The job ends with this evaluation: nothing else is under way."""
        if self._waiting is not None:
            distances, names = self._waiting
            self._waiting = None
            self._tell(distances.tolist(), names)

    def _tell(self, numbers: list[float], names: list[str]) -> None:
        parameters, *buffers = numbers
        farthest = max(range(len(buffers)), key=lambda place: buffers[place], default=None)
        data: dict[str, Any] = {"parameters": parameters}
        if farthest is not None:
            data.update(buffers=buffers[farthest], buffer=names[farthest])
        self.session.event("eval.copy", data)

    def _twin(self, module: Module) -> Module | None:
        """Return the trained module that this one is a copy of, None for any other and for that one itself."""
        known = self._twins.get(module)
        if known is not None:
            return known()
        if module in self._others or not self._trained:
            # Before anything is trained nobody can tell.
            return None
        own = dict(unwrap(module).named_parameters())
        if not own or any(id(p) in self._trained for p in own.values()):
            self._others.add(module)
            return None
        for root in self.session.model.roots:
            other = dict(unwrap(root).named_parameters()) if root is not module else {}
            alike = other.keys() == own.keys() and all(other[n].shape == p.shape for n, p in own.items())
            if alike and any(id(p) in self._trained for p in other.values()):
                self._twins[module] = weakref.ref(root)
                return root
        self._others.add(module)
        return None


def _distances(copy: Module, trained: Module) -> tuple[Tensor, list[str]]:
    """Return relative distances, float [1 + buffers]: of all parameters together, then of each buffer."""
    theirs = dict(trained.named_parameters())
    pairs = [(p, theirs[name]) for name, p in copy.named_parameters()][:_TENSORS]
    found = [_relative([(_sample(a), _sample(b)) for a, b in pairs])]
    buffers = {n: b for n, b in trained.named_buffers() if b.is_floating_point() and b.numel()}
    names = []
    for name, buffer in copy.named_buffers():
        other = buffers.get(name)
        if other is not None and other.shape == buffer.shape:
            names.append(name)
            found.append(_relative([(_sample(buffer), _sample(other))]))
    return torch.stack([value.to(found[0].device) for value in found]), names


def _relative(pairs: list[tuple[Tensor, Tensor]]) -> Tensor:
    far = torch.stack([(a.to(b.device) - b).square().sum() for a, b in pairs]).sum()
    size = torch.stack([b.square().sum() for _, b in pairs]).sum()
    return (far / size.clamp_min(1e-12)).sqrt()


def _sample(tensor: Tensor) -> Tensor:
    return local(tensor.detach()).reshape(-1)[:_ELEMENTS].float()
