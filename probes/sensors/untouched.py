"""Weights that somebody other than an optimizer wrote to, looked for on every step."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..agent.modelmap import parameters_of
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..agent.step import OpenStep

_TENSORS = 4
_PLACE = 3
"""The element looked at, as divisor of the number of elements."""
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Whole numbers by size in bytes: bits are compared, so that a NaN equals itself."""


class Untouched(Sensor):
    """Compares a few elements of the weights before each update with what the last one left there.

    A full comparison is sampled (`Updates`); a change that happens once would fall between its samples. On a
    CPU an element read through NumPy takes some 50 ns; on a GPU it would wait for the device, so none is read.
    """

    name = "untouched"
    rests = True
    FIELDS = (
        Field(
            "weight.touched",
            "count",
            "scalar",
            "step",
            "Weight tensors, of up to four looked at on a CPU, that changed between two updates; only where some did.",
        ),
        Field(
            "weights.watched",
            "-",
            "tensors, continues",
            "event",
            "How many weight tensors of an optimizer are compared on every step; continues: they begin as those of "
            "the optimizer before were left.",
        ),
    )

    def install(self) -> None:
        """No optimizer is known yet."""
        self.session.steps.quick.watched = self._watched = Watched()

    def before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Compare with what the last update left."""
        watched = self._watched
        if watched.knows(optimizer):
            if self.session.steps.in_time and (touched := watched.touched(optimizer)):
                step.v["weight.touched"] = touched
        elif count := watched.meet(optimizer):
            self.session.event("weights.watched", {"tensors": count, "continues": watched.continues})

    def after_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Take the values that the update has left."""
        self._watched.take(optimizer)


class Watched:
    """Elements of the weights of each optimizer, and the values that the last update of any left in them.

    Attributes:
        continues: the optimizer met last begins with the values that the one before it left.
    """

    def __init__(self) -> None:
        self.continues = False
        self._known: weakref.WeakKeyDictionary[Optimizer, list[_Element]] = weakref.WeakKeyDictionary()
        self._left: list[int] = []

    def knows(self, optimizer: Optimizer) -> bool:
        """Whether the optimizer has been met."""
        return optimizer in self._known

    def meet(self, optimizer: Optimizer) -> int:
        """Choose what is watched of an optimizer before its first update; return how many tensors."""
        largest = sorted(parameters_of(optimizer), key=lambda p: -p.numel())[:_TENSORS]
        readable = [p for p in largest if _is_readable(p)]
        # Optimizers that share parameters see each other's updates.
        shared = {
            element.owner: element for known in self._known.values() for element in known if element.alive
        }
        self._known[optimizer] = [shared.get(id(p)) or _Element(p) for p in readable]
        before = self._left
        self.take(optimizer)
        self.continues = bool(readable) and before == self._left
        return len(readable)

    def touched(self, optimizer: Optimizer) -> int:
        """Return how many tensors are not as the last update left them."""
        return sum(element.changed() for element in self._known.get(optimizer, ()))

    def retake(self) -> None:
        """Remember the values of all optimizers: what was done to them meanwhile is known."""
        for optimizer in list(self._known):
            self.take(optimizer)

    def take(self, optimizer: Optimizer) -> None:
        """Remember the values there are now."""
        self._left = [element.take() for element in self._known.get(optimizer, ())]


class _Element:
    """One element of a parameter, read through its memory."""

    __slots__ = ("_bits", "_last", "_parameter", "_place", "_where", "owner")

    def __init__(self, parameter: Tensor) -> None:
        self.owner = id(parameter)
        self._parameter = weakref.ref(parameter)
        self._place = parameter.numel() // _PLACE
        self._look(parameter)
        self._last = -1

    @property
    def alive(self) -> bool:
        return self._parameter() is not None

    def take(self) -> int:
        self._last = self._bits.item(self._place)
        return self._last

    def changed(self) -> bool:
        parameter = self._parameter()
        if parameter is None:
            return False
        # Looked up here only: every look at a tensor costs a miss of the cache.
        if parameter.data_ptr() != self._where:
            if not _is_readable(parameter):
                return False
            self._look(parameter)
        changed: bool = self._bits.item(self._place) != self._last
        return changed

    def _look(self, parameter: Tensor) -> None:
        self._where = parameter.data_ptr()
        flat = parameter.detach().view(-1)
        self._bits: Any = flat.view(_BITS[flat.element_size()]).numpy()


def _is_readable(parameter: Tensor) -> bool:
    """Whether a parameter is plain memory on a CPU."""
    return (
        type(parameter).__name__ == "Parameter"
        and parameter.is_cpu
        and parameter.is_contiguous()
        and parameter.is_floating_point()
        and parameter.element_size() in _BITS
        and parameter.numel() > 0
    )
