"""Learning-rate schedulers: type, settings and position."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..agent.step import OpenStep

_MAX_SCHEDULERS = 8
_UNRECORDED = ("last_epoch", "verbose", "optimizer")


class Scheduler(Sensor):
    """Notices schedulers as they are made; one event each, and its position on every step."""

    name = "scheduler"
    sampled = True
    FIELDS = (
        Field(
            "scheduler.position",
            "calls",
            "scalar",
            "sampled",
            "last_epoch of the first scheduler: how often it has been stepped.",
        ),
        Field(
            "scheduler",
            "-",
            "class, settings, last_epoch",
            "event",
            "A scheduler, when the first step after its making is over.",
        ),
    )

    def install(self) -> None:
        """Watch the constructors; schedulers without a common one are watched by class."""
        from torch.optim import lr_scheduler

        self._fresh: list[weakref.ref[Any]] = []
        self._known: list[weakref.ref[Any]] = []
        made = self.session.dispatch.protect(self._made, self)
        bases = {lr_scheduler.LRScheduler, lr_scheduler.ReduceLROnPlateau}
        for base in bases:
            self.session.patches.around(base, "__init__", after=lambda _t, _r, args, _k: made(args[0]))

    def adopt(self, schedulers: list[Any], loaders: list[Any]) -> None:
        """Take in those that were made before the probes came."""
        for scheduler in schedulers:
            self._made(scheduler)

    def _made(self, scheduler: Any) -> None:
        if len(self._known) < _MAX_SCHEDULERS and all(ref() is not scheduler for ref in self._known):
            self._known.append(weakref.ref(scheduler))
            self._fresh.append(weakref.ref(scheduler))
            self.session.dispatch.listen(self, "begin", on=True)

    def begin(self, step: OpenStep) -> None:
        """Report new schedulers, whose constructors are complete by now."""
        self.session.dispatch.listen(self, "begin", on=False)
        while self._fresh:
            scheduler = self._fresh.pop()()
            if scheduler is not None:
                self.session.event("scheduler", describe(scheduler))

    def before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Record the position."""
        if self._known and "scheduler.position" not in step.v:
            first = self._known[0]()
            if first is None:
                self._known.pop(0)
            elif isinstance(position := getattr(first, "last_epoch", None), int):
                step.v["scheduler.position"] = position


def describe(scheduler: Any) -> dict[str, Any]:
    """Return a scheduler's class, plain settings and position."""
    settings = {}
    for name, value in vars(scheduler).items():
        plain = isinstance(value, bool | int | float | str)
        numbers = isinstance(value, list | tuple) and all(isinstance(x, int | float) for x in value)
        if not name.startswith("_") and name not in _UNRECORDED and (plain or numbers):
            settings[name] = list(value)[:64] if numbers else value
    return {
        "class": type(scheduler).__name__,
        "settings": settings,
        "last_epoch": getattr(scheduler, "last_epoch", None),
        "functions": [
            getattr(f, "__qualname__", type(f).__name__) for f in getattr(scheduler, "lr_lambdas", [])
        ],
    }
