"""Learning rate on every step; the optimizer's other settings at the start and when they change."""

from __future__ import annotations

import math
import operator
import weakref
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..agent.modelmap import parameters_of
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..agent.quick import QuickStep
    from ..agent.step import OpenStep

_MAX_GROUPS = 16
_MOST_FRESH = 200
_UNRECORDED = ("params", "lr", "initial_lr")


class OptimizerSettings(Sensor):
    """Reads the parameter groups before each update."""

    name = "optimizer"
    rests = True
    FIELDS = (
        Field("lr", "1/step", "scalar", "step", "Learning rate of parameter group 0 of the first optimizer."),
        Field("lr/{group}", "1/step", "scalar", "step", "Learning rate of a further group or optimizer."),
        Field(
            "optimizer",
            "-",
            "index, class, groups, first, parameters, dtype, fresh, fresh_scale, fresh_nonfinite",
            "event",
            "Settings, at the first step and whenever one other than lr changes; fresh counts the parameters "
            "that no optimizer held before; fresh_scale is the largest root mean square of one of their matrices "
            "times the root of what it adds up (about 1 for usual initial values), fresh_nonfinite how many tensors "
            "of them are not finite, both on a CPU only.",
        ),
    )

    def install(self) -> None:
        """Nothing seen yet."""
        self._known: dict[int, Known] = {}
        self._held: dict[int, weakref.ref[Tensor]] = {}
        self._step = -1
        self._before: set[int] = set()
        self._now: set[int] = set()

    def before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Record rates, compare settings."""
        groups = optimizer.param_groups[:_MAX_GROUPS]
        known = self._known.get(id(optimizer))
        if known is None or len(known.names) != len(groups):
            index = known.index if known is not None else len(self._known)
            known = self._known[id(optimizer)] = Known(index, len(groups))
            self.session.steps.quick.rates[id(optimizer)] = known
        if len(self._known) > 1:
            self._inherit(step, optimizer, known)
        changed = False
        for place, group in enumerate(groups):
            rate = group.get("lr")
            if isinstance(rate, float):
                step.v[known.names[place]] = rate
            elif isinstance(rate, Tensor):
                step.scalar(known.names[place], rate.detach().reshape(()))
            elif rate is not None:
                step.v[known.names[place]] = float(rate)
            changed = known.replaced(place, group) or changed
        if changed:
            settings = [_settings(group) for group in groups]
            if settings != known.settings:
                self._report(optimizer, known.index, settings, first=known.settings is None)
                known.settings = settings

    def _inherit(self, step: OpenStep, optimizer: Optimizer, known: Known) -> None:
        """Let an optimizer that alone made the last update have the name of the first one, which it took over from."""
        if step.index != self._step:
            self._step, self._before, self._now = step.index, self._now, set()
        self._now.add(id(optimizer))
        if known.names[0] != "lr" and self._before == {id(optimizer)}:
            first = next(other for other in self._known.values() if other.names[0] == "lr")
            known.names[0], first.names[0] = first.names[0], known.names[0]

    def _report(self, optimizer: Optimizer, index: int, settings: list[dict[str, Any]], first: bool) -> None:
        groups = []
        for group, known in zip(optimizer.param_groups, settings, strict=False):
            rate = group.get("lr")
            groups.append({**known, "lr": None if isinstance(rate, Tensor) else rate})
        parameters = parameters_of(optimizer)
        fresh = [p for p in parameters if self._is_fresh(p)]
        self.session.event(
            "optimizer",
            {
                "index": index,
                "class": type(optimizer).__name__,
                "groups": groups,
                "first": first,
                "parameters": sum(p.numel() for p in parameters),
                "dtype": str(parameters[0].dtype).removeprefix("torch.") if parameters else "",
                "fresh": sum(p.numel() for p in fresh),
                **_start(fresh),
            },
        )

    def _is_fresh(self, parameter: Tensor) -> bool:
        """Take in a parameter, and say whether no optimizer held it before; an id may be another's by now."""
        known = self._held.get(id(parameter))
        if known is not None and known() is parameter:
            return False
        self._held[id(parameter)] = weakref.ref(parameter)
        return True


def _start(fresh: list[Tensor]) -> dict[str, Any]:
    """Describe the values that new parameters begin with; on a device, reading them would wait."""
    values = [p.detach() for p in fresh if p.is_cpu and p.layout is torch.strided and p.is_floating_point()]
    if not values or type(fresh[0]).__name__ != "Parameter":
        return {}
    norms = [(p.float().square().mean().sqrt().item(), p) for p in values[:_MOST_FRESH] if p.numel()]
    scales = [norm * math.sqrt(p[0].numel()) for norm, p in norms if p.dim() > 1 and math.isfinite(norm)]
    nonfinite = sum(not math.isfinite(norm) for norm, _ in norms)
    return {"fresh_scale": max(scales, default=None), "fresh_nonfinite": nonfinite}


class Known:
    """What was last seen of one optimizer."""

    def __init__(self, index: int, groups: int) -> None:
        self.index = index
        self.settings: list[dict[str, Any]] | None = None
        places = [f"{index}.{place}" if index else str(place) for place in range(groups)]
        self.names = ["lr" if place == "0" else f"lr/{place}" for place in places]
        self._values: list[list[Any]] = [[]] * groups
        self._rates = [-1] * groups

    def are_plain(self, optimizer: Optimizer) -> bool:
        """Whether the rates of all groups are recorded, and are numbers."""
        groups = optimizer.param_groups
        return len(groups) == len(self.names) and all(type(group.get("lr")) is float for group in groups)

    def read_quickly(self, optimizer: Optimizer, step: QuickStep) -> bool:
        """Read the rates where nothing else has changed; False leaves all to `OptimizerSettings`."""
        groups = optimizer.param_groups
        if len(groups) != len(self.names):
            return False
        for place, group in enumerate(groups):
            rate = group["lr"]
            if type(rate) is not float or self.replaced(place, group):
                # To be seen once more, and told, on the long way.
                self._values[place] = []
                return False
            step.rates.append(rate)
        step.names = self.names
        return True

    def replaced(self, place: int, group: dict[str, Any]) -> bool:
        """Say whether a value other than the rate is another object than last time: a cheap first look."""
        values = list(group.values())
        last, self._values[place] = self._values[place], values
        if len(values) != len(last):
            self._rates[place] = list(group).index("lr") if "lr" in group else -1
        if self._rates[place] >= 0:
            # The rate may change on every step. Where keys have changed places, something else differs too.
            values[self._rates[place]] = None
        return len(values) != len(last) or not all(map(operator.is_, values, last))


def _settings(group: dict[str, Any]) -> dict[str, Any]:
    """Return a group's plain settings, without its parameters and its rate."""
    found: dict[str, Any] = {}
    for key, value in group.items():
        if key in _UNRECORDED:
            continue
        if isinstance(value, bool | int | float | str | type(None)):
            found[key] = value
        elif isinstance(value, tuple | list) and all(isinstance(item, int | float) for item in value):
            found[key] = list(value)
    return found
