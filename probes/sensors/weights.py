"""Weights and updates: norms, the size of each update, and changes that no optimizer made."""

from __future__ import annotations

import math
import weakref
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..agent.modelmap import local, parameters_of
from ..evidence import Field
from .base import Sensor
from .gradients import norms_of

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..agent.step import OpenStep

_TENSORS = 32
_BLOCK = 4
_BLOCKS = 512
"""Up to 512 blocks of four neighbours: a cache line costs the same whether one element is read or four."""
_SMALL = 64


class Weights(Sensor):
    """Norms of all parameters, which show non-finite ones too."""

    name = "weights"
    sampled = True
    FIELDS = (
        Field("weight.norm", "L2", "scalar", "sampled", "All parameters after the update."),
        Field("weight.norm/{module}", "L2", "scalar", "sampled", "Parameters of one top-level module."),
        Field(
            "weight.nonfinite", "count", "scalar", "sampled", "Parameter tensors with a non-finite element."
        ),
    )

    def install(self) -> None:
        """No step yet."""
        self._step = -1
        self._squares: dict[str, float] = {}
        self._nonfinite = 0

    def after_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Measure what the optimizer has just updated."""
        if self._step != step.index:
            self._step, self._squares, self._nonfinite = step.index, {}, 0
        parameters = parameters_of(optimizer)
        groups = [self.session.model.group(p) for p in parameters]
        if parameters:
            norms = norms_of([local(p.detach()) for p in parameters])
            step.later(norms, lambda numbers: self._take(step, groups, numbers))

    def _take(self, step: OpenStep, groups: list[str], norms: list[float]) -> None:
        for group, norm in zip(groups, norms, strict=True):
            self._squares[group] = self._squares.get(group, 0.0) + norm * norm
            self._nonfinite += not math.isfinite(norm)
        for group, square in self._squares.items():
            step.v[f"weight.norm/{group}"] = math.sqrt(square)
        norm = math.sqrt(sum(self._squares.values()))
        step.v["weight.norm"] = norm
        step.v["weight.nonfinite"] = self._nonfinite
        update = step.v.get("update.norm")
        if isinstance(update, float) and norm:
            step.v["update.ratio"] = update / norm


class _Sample:
    """A fixed strided sample of an optimizer's parameters.

    The views share the parameters' memory, so that taking the sample is one concatenation. They are
    made anew when a parameter's memory has moved.

    Attributes:
        scale: elements that each sampled element stands for, [n] float32.
        last: the sample after the update of step ``last_step``, None when none was taken.
        before: the sample before the update under way.
    """

    def __init__(self, parameters: list[Tensor]) -> None:
        self._parameters = sorted(parameters, key=lambda p: -p.numel())[:_TENSORS]
        total = sum(p.numel() for p in self._parameters)
        # Below this total every parameter is read whole.
        self._stride = total if total <= _BLOCK * _BLOCKS else -(-total // _BLOCKS)
        self.last: Tensor | None = None
        self.last_step = -2
        self.before: Tensor | None = None
        self._build()

    def _build(self) -> None:
        self._places = [_own(p).data_ptr() for p in self._parameters]
        self._whole: list[Tensor] = []
        self._blocks: list[Tensor] = []
        weights: list[tuple[list[Tensor], Tensor, Tensor]] = []
        for parameter in self._parameters:
            flat = _own(parameter.detach()).view(-1)
            if flat.numel() <= max(_SMALL, self._stride):
                weights.append((self._whole, flat, flat[: _SMALL * _BLOCK]))
            else:
                whole = flat.numel() // self._stride * self._stride
                weights.append((self._blocks, flat, flat[:whole].view(-1, self._stride)[:, :_BLOCK]))
        for views, _, view in weights:
            views.append(view)
        # Elements behind the last whole block are taken to move as the sampled ones do.
        ordered = [entry for kind in (self._whole, self._blocks) for entry in weights if entry[0] is kind]
        scales = [torch.full((view.numel(),), flat.numel() / view.numel()) for _, flat, view in ordered]
        self.scale = torch.cat(scales) if scales else torch.empty(0)
        self.last = None

    def take(self) -> Tensor:
        """Return the sample now, float32 [n]."""
        if any(_own(p).data_ptr() != place for p, place in zip(self._parameters, self._places, strict=True)):
            self._build()
        parts = [torch.cat(views).view(-1) for views in (self._whole, self._blocks) if views]
        sample = parts[0] if len(parts) == 1 else torch.cat(parts) if parts else self.scale[:0]
        return sample if sample.dtype == torch.float32 else sample.float()


class Updates(Sensor):
    """Size of every update, and drift: weights that changed outside of an optimizer's step."""

    name = "updates"
    sampled = True
    rests = True
    always = ("before_update",)
    FIELDS = (
        Field(
            "update.norm",
            "L2",
            "scalar",
            "step",
            "Distance between the weights before and after the update, from a strided sample of up to 4,096 elements (exact for small models; else within about 10 % for plain SGD, 2 % for Adam).",
        ),
        Field("update.ratio", "share", "scalar", "sampled", "update.norm / weight.norm."),
        Field(
            "weight.drift",
            "L2",
            "scalar",
            "step",
            "Distance between the weights at the end of the last step and at the start of this one, from the same sample; 0 when only optimizers change them.",
        ),
    )

    def install(self) -> None:
        """No optimizer is known yet."""
        self._samples: weakref.WeakKeyDictionary[Optimizer, _Sample] = weakref.WeakKeyDictionary()
        self._step = -1
        self._square = 0.0

    def before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Compare with the end of the last step; on every step, as that is when the last one ended."""
        due = self.name in self.session.dispatch.due
        sample = self._samples.get(optimizer)
        if sample is None:
            if not due:
                return
            sample = self._samples[optimizer] = _Sample([p for p in parameters_of(optimizer) if _plain(p)])
        sample.before = None
        fresh = sample.last is not None and sample.last_step == step.index - 1
        if not due and not fresh:
            return
        sample.before = sample.take()
        comparable = sample.last is not None and sample.last.shape == sample.before.shape
        if fresh and comparable and sample.last is not None and sample.before.numel():
            self._distance(step, "weight.drift", sample.last, sample.before, sample.scale)

    def after_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Measure how far the update went."""
        sample = self._samples.get(optimizer)
        if sample is None or sample.before is None or not sample.before.numel():
            return
        if self._step != step.index:
            self._step, self._square = step.index, 0.0
        sample.last, sample.last_step = sample.take(), step.index
        if sample.last.shape == sample.before.shape:
            self._distance(step, "update.norm", sample.before, sample.last, sample.scale)

    def alerted(self) -> None:
        """Weights may change now, outside of any step: take the sample that the next one is compared with."""
        for sample in list(self._samples.values()):
            sample.last, sample.last_step = sample.take(), self.session.index - 1

    def _distance(self, step: OpenStep, name: str, before: Tensor, after: Tensor, scale: Tensor) -> None:
        if name == "weight.drift" and after.device.type == "cpu" and torch.equal(before, after):
            step.v[name] = 0.0
            return
        square = (after - before).square_()
        if before.device.type != "cpu":
            scale = scale.to(before.device, non_blocking=True)
        total = torch.dot(square, scale)

        def fill(numbers: list[float]) -> None:
            if name == "update.norm":
                self._square += numbers[0]
                step.v[name] = math.sqrt(self._square)
            else:
                step.v[name] = math.sqrt(numbers[0])

        step.later(total, fill)


def _own(parameter: Tensor) -> Tensor:
    """Return this rank's shard of a parameter, which keeps its memory, else the parameter."""
    shard: Tensor = getattr(parameter, "_local_tensor", parameter)
    return shard


def _plain(parameter: Tensor) -> bool:
    """Whether a parameter has memory of its own that a view can share."""
    own = _own(parameter)
    return own.layout is torch.strided and own.is_contiguous() and own.untyped_storage().size() > 0
