"""What is trained: the model's make-up, told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from ..agent.graph import activations
from ..agent.modelmap import top_level, unwrap
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.nn import Module
    from torch.optim import Optimizer

    from ..agent.step import OpenStep

_MAX_MODULES = 64
_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm)


class Model(Sensor):
    """Describes each model when its optimizer first steps."""

    name = "model"
    FIELDS = (
        Field(
            "model",
            "-",
            "class, parameters, trainable, modules, norm_layers, activations, depth, dropout",
            "event",
            "Make-up of a model; activations called as functions are read from the autograd graph.",
        ),
    )

    def install(self) -> None:
        """Nothing described yet."""
        self._described: set[int] = set()
        self._activations: dict[str, int] = {}

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """Count the activations of the first graph."""
        if not self._activations:
            self._activations = activations(roots[0])

    def meets(self, optimizer: Optimizer) -> None:
        """Describe the optimizer's model."""
        self.session.dispatch.listen(self, "before_backward", on=False)
        root = self.session.model.model_of(optimizer) or self._look_around(optimizer)
        if root is not None and id(root) not in self._described:
            self._described.add(id(root))
            self.session.event("model", describe(root, self._activations))

    def _look_around(self, optimizer: Optimizer) -> Module | None:
        """Find a model that was never seen running, as after ``module.compile()``, among the variables."""
        from ..agent.discovery import models

        for model in models():
            self.session.model.saw(model)
        return self.session.model.model_of(optimizer)


def describe(root: Module, from_graph: dict[str, int]) -> dict[str, Any]:
    """Return the make-up of a model.

    Args:
        from_graph: activation functions counted in the autograd graph.
    """
    prefix, body = top_level(root)
    modules = list(root.modules())
    children = [
        {"name": f"{prefix}{name}", "class": type(child).__name__, "parameters": _count(child)}
        for name, child in body.named_children()
    ]
    kinds = Counter(type(m).__name__ for m in modules if type(m).__module__ == "torch.nn.modules.activation")
    return {
        "class": type(unwrap(root)).__name__,
        "parameters": _count(root),
        "trainable": sum(p.numel() for p in root.parameters() if p.requires_grad),
        "modules": children[:_MAX_MODULES],
        "norm_layers": sum(isinstance(m, _NORMS) or "Norm" in type(m).__name__ for m in modules),
        "batchnorm_layers": sum(isinstance(m, _NormBase) for m in modules),
        "activations": from_graph or dict(kinds),
        "depth": sum(_is_layer(m) for m in modules),
        "dropout": max((float(m.p) for m in modules if isinstance(m, _DropoutNd)), default=0.0),
        "dtype": str(next((p.dtype for p in root.parameters()), "")).removeprefix("torch."),
    }


def _count(module: Module) -> int:
    return sum(p.numel() for p in module.parameters())


def _is_layer(module: Module) -> bool:
    """Whether a module multiplies by a weight matrix of its own."""
    return any(p.dim() >= 2 for p in module.parameters(recurse=False))
