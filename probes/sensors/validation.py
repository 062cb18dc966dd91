"""Validation loss: losses computed with gradients off or the model in evaluation mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import time
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name every PyTorch user knows
from torch import Tensor

from ..agent.tensors import loss_in
from ..evidence import Eval, Field, Value
from .base import Sensor

if TYPE_CHECKING:
    from torch.nn import Module

    from ..agent.progress import LoaderState
    from ..agent.step import OpenStep

_LOSSES = (
    "cross_entropy",
    "nll_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "mse_loss",
    "l1_loss",
    "smooth_l1_loss",
    "huber_loss",
    "kl_div",
)


@dataclass
class _Batch:
    """One batch: its loss as a scalar tensor; ``samples`` is more than 1 where that is a sum over them."""

    loss: Tensor
    samples: float = 1.0
    accuracy: Tensor | None = None
    with_graph: bool = False
    """Gradients were on: it may turn out to be the loss of a training step."""


@dataclass
class _Pass:
    batches: list[_Batch] = field(default_factory=list)
    epoch: float | None = None
    training_mode: bool = False
    on_training_data: bool = False


class Validation(Sensor):
    """Collects the losses of a pass and writes their mean when the pass is over.

    A loss that the model hands out with its output goes before one computed inside or after it, and of
    several losses computed for one batch the first counts. The pass is over when training goes on,
    another loader is begun, or the job ends.
    """

    name = "validation"
    FIELDS = (
        Field(
            "val.loss",
            "loss",
            "scalar",
            "eval",
            "Mean over the batches; over the samples where the job sums its losses.",
        ),
        Field("val.batches", "count", "scalar", "eval", "Batches of the pass."),
        Field("val.accuracy", "share", "scalar", "eval", "Mean over the batches, where targets are classes."),
        Field(
            "val.mode_train", "0/1", "scalar", "eval", "1: the model was in training mode, dropout and all."
        ),
        Field(
            "train_eval.loss",
            "loss",
            "scalar",
            "eval",
            "The same on the loader that is trained on; batches, accuracy and mode likewise.",
        ),
    )

    def install(self) -> None:
        """Watch the loss functions, through which the loss modules go too."""
        self._pass = _Pass()
        self._taken = True
        self._models_seen = False
        self._evaluating = False
        self._pending: _Batch | None = None
        computed = self.session.dispatch.protect(self._computed, self)
        for name in _LOSSES:
            self._watch(name, computed)

    def _watch(self, name: str, computed: Any) -> None:
        def after(_token: Any, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            # The cheap test first: in training this is all that a loss costs.
            if self._evaluating or not torch.is_grad_enabled():
                computed(result, args, kwargs, name)

        self.session.patches.around(F, name, after=after)

    def forward(self, module: Module, output: Any) -> None:
        """A model has answered: note whether it evaluates, and take the loss it hands out."""
        self._commit()
        self._models_seen = True
        self._evaluating = not (self.session.gradients_on and module.training)
        self._taken = False
        progress = self.session.progress
        self.session.evaluating = self._evaluating
        if not self._evaluating:
            return
        self.session.dispatch.listen(self, "before_backward", on=True)
        self._pass.training_mode = module.training
        # Without a new batch from a loader the data came some other way, and says nothing of the loader.
        fresh = self.session.fresh_data
        self._pass.on_training_data = bool(fresh and progress.last and progress.last.trains)
        own = loss_in(output)
        if own is not None:
            self._pending = _Batch(own, with_graph=self.session.gradients_on)
            self._taken = True

    def _computed(self, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> None:
        self.session.forwards.widen()
        # Where no model is seen running, as with module.compile(), every loss stands for a batch.
        taken = self._taken and self._models_seen
        if taken or self.session.inside_forward or not isinstance(result, Tensor) or result.numel() != 1:
            return
        prediction, target = args[0], args[1] if len(args) > 1 else kwargs.get("target")
        batch = _Batch(result.detach().reshape(()), with_graph=result.requires_grad)
        if kwargs.get("reduction") == "sum" and isinstance(target, Tensor):
            batch.samples = float(max(1, _counted(target, kwargs.get("ignore_index", -100))))
        if name == "cross_entropy" and isinstance(target, Tensor) and _classes(prediction, target):
            batch.accuracy = (prediction.detach().argmax(1) == target).float().mean()
        self.session.dispatch.listen(self, "before_backward", on=True)
        if not self._models_seen:
            self._commit()
        self._pending, self._taken = batch, True

    def _commit(self) -> None:
        if self._pending is not None:
            if not self._pass.batches:
                self._pass.epoch = self.session.progress.position()
            self._pass.batches.append(self._pending)
            self._pending = None
            self.session.interrupted()

    def loader(self, loader: Any, state: LoaderState) -> None:
        """Another pass begins."""
        self._commit()
        self._emit()

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """Training goes on: the latest loss was this step's own, whatever mode the model is in."""
        if self._pending is not None and self._pending.with_graph:
            self._pending = None
        self._commit()
        self._emit()
        self._evaluating = self.session.evaluating = False
        self.session.dispatch.listen(self, "before_backward", on=False)

    def end(self) -> None:
        """The job ends with a validation, as most do."""
        self._commit()
        self._emit()

    def _emit(self) -> None:
        done, self._pass = self._pass, _Pass()
        if not done.batches:
            return
        prefix = "train_eval" if done.on_training_data else "val"
        losses = torch.stack([batch.loss.double() for batch in done.batches])
        total = losses.sum().item()
        samples = sum(batch.samples for batch in done.batches)
        values: dict[str, Value] = {
            f"{prefix}.loss": total / samples,
            f"{prefix}.batches": len(done.batches),
            f"{prefix}.mode_train": int(done.training_mode),
        }
        known = [batch.accuracy for batch in done.batches if batch.accuracy is not None]
        if known:
            values[f"{prefix}.accuracy"] = torch.stack(known).double().mean().item()
        self.session.sink.write(Eval(self.session.index, time(), done.epoch, values))


def _counted(target: Tensor, ignored: int) -> int:
    """Return how many targets a summed loss is a sum over; on a device all, as counting would wait."""
    if target.is_floating_point() or target.device.type != "cpu":
        return target.numel()
    return int((target != ignored).sum())


def _classes(prediction: Any, target: Tensor) -> bool:
    """Whether the target holds class numbers for predictions [n, classes]."""
    return (
        isinstance(prediction, Tensor)
        and prediction.dim() == 2
        and target.dim() == 1
        and not target.is_floating_point()
    )
