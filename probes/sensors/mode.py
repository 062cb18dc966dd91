"""Training or evaluation mode at backward: a model left in evaluation mode trains without dropout."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.dropout import _DropoutNd

from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.nn import Module

    from ..agent.step import OpenStep


class Mode(Sensor):
    """Reads the root module's flag."""

    name = "mode"
    rests = True
    FIELDS = (
        Field("mode.train", "0/1", "scalar", "step", "1: the root module was in training mode at backward."),
        Field("mode", "-", "training", "event", "The root module's mode at backward has changed."),
    )

    def install(self) -> None:
        """Nothing seen yet."""
        self._version = -1
        self._root: weakref.ref[Module] | None = None
        self._training: bool | None = None

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """Read the flag."""
        model = self.session.model
        if self._version != model.version:
            self._version = model.version
            self._root = next((weakref.ref(root) for root in model.roots), None)
        root = self._root() if self._root is not None else None
        if root is None:
            return
        training = root.training
        step.v["mode.train"] = int(training)
        if self._training is not None and training is not self._training:
            self.session.event("mode", {"training": training})
        self._training = training


class ModalModules(Sensor):
    """Reads the flags of the modules whose behaviour depends on them."""

    name = "modal-modules"
    sampled = True
    FIELDS = (
        Field(
            "mode.train_share",
            "share",
            "scalar",
            "sampled",
            "Dropout and BatchNorm modules in training mode.",
        ),
        Field(
            "mode.dropout_p",
            "probability",
            "scalar",
            "sampled",
            "Largest probability of a dropout in training mode.",
        ),
    )

    def install(self) -> None:
        """Nothing seen yet."""
        self._version = -1
        self._modal: list[weakref.ref[Module]] = []

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """Read the flags."""
        model = self.session.model
        if self._version != model.version:
            self._version = model.version
            found = {id(m): m for root in model.roots for m in root.modules() if _depends_on_mode(m)}
            self._modal = [weakref.ref(module) for module in found.values()]
        modal = [module for module in (ref() for ref in self._modal) if module is not None]
        if modal:
            active = [module for module in modal if module.training]
            step.v["mode.train_share"] = len(active) / len(modal)
            step.v["mode.dropout_p"] = max(
                (float(getattr(module, "p", 0.0)) for module in active), default=0.0
            )


def _depends_on_mode(module: nn.Module) -> bool:
    return isinstance(module, _DropoutNd) or (isinstance(module, _NormBase) and module.track_running_stats)
