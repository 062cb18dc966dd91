"""Learning rate on every step; the optimizer's other settings at the start and when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..agent.step import OpenStep

_MAX_GROUPS = 16
_UNRECORDED = ("params", "lr", "initial_lr")


class OptimizerSettings(Sensor):
    """Reads the parameter groups before each update."""

    name = "optimizer"
    FIELDS = (
        Field("lr", "1/step", "scalar", "step", "Learning rate of parameter group 0 of the first optimizer."),
        Field("lr/{group}", "1/step", "scalar", "step", "Learning rate of a further group or optimizer."),
        Field(
            "optimizer",
            "-",
            "index, class, groups, first, parameters",
            "event",
            "Settings, at the first step and whenever one other than lr changes.",
        ),
    )

    def install(self) -> None:
        """Nothing seen yet."""
        self._known: dict[int, tuple[int, list[dict[str, Any]]]] = {}

    def before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        """Record rates, compare settings."""
        index, last = self._known.get(id(optimizer), (len(self._known), None))
        groups = optimizer.param_groups[:_MAX_GROUPS]
        for place, group in enumerate(groups):
            name = f"{index}.{place}" if index else place
            rate = group.get("lr")
            if isinstance(rate, Tensor):
                step.scalar(f"lr/{name}" if name else "lr", rate.detach().reshape(()))
            elif rate is not None:
                step.v[f"lr/{name}" if name else "lr"] = float(rate)
        settings = [_settings(group) for group in groups]
        if settings != last:
            self._known[id(optimizer)] = (index, settings)
            self._report(optimizer, index, settings, first=last is None)

    def _report(self, optimizer: Optimizer, index: int, settings: list[dict[str, Any]], first: bool) -> None:
        groups = []
        for group, known in zip(optimizer.param_groups, settings, strict=False):
            rate = group.get("lr")
            groups.append({**known, "lr": None if isinstance(rate, Tensor) else rate})
        self.session.event(
            "optimizer",
            {
                "index": index,
                "class": type(optimizer).__name__,
                "groups": groups,
                "first": first,
                "parameters": sum(p.numel() for group in optimizer.param_groups for p in group["params"]),
            },
        )


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
