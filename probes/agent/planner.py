"""Times the steps, charges the probes for them, and chooses what runs on the step that comes."""

from __future__ import annotations

from time import perf_counter

from ..budget import Budget
from .dispatch import Dispatch
from .step import OpenStep

_CLOSER_STEPS = 20
_LIGHT_STEPS = 8


class Planner:
    """The clock of a process, and its budget.

    Args:
        dispatch: told which sensors are due.
        share: part of the step time that all probes together may take.

    Attributes:
        mark: when the latest step ended, None before the first.
    """

    def __init__(self, dispatch: Dispatch, share: float) -> None:
        self.budget = Budget(share)
        self.mark: float | None = None
        self._dispatch = dispatch
        self._closer_until = -1
        self._light_steps = 0
        self._light_spent = 0.0

    def restart(self) -> None:
        """The time until now belongs to no step."""
        self.mark = perf_counter()

    def account(self, step: OpenStep, following: int) -> bool:
        """Time a step that is over, and choose what runs on the one that comes.

        Args:
            following: index of the step that comes.

        Returns:
            Whether no sensor that the budget decides on ran, or will.
        """
        took = self.tick()
        spent, cost = self._dispatch.take_spent()
        if took is not None:
            step.v["step.time"] = round(took, 7)
        step.v["probe.time"] = round(spent, 7)
        self._charge(took, spent, cost)
        self.choose(following)
        return not (cost or self._dispatch.due)

    def tick(self) -> float | None:
        """A step ends: return the seconds that it took, None where its start is not known."""
        last, self.mark = self.mark, perf_counter()
        return None if last is None else self.mark - last

    def choose(self, index: int) -> None:
        """Choose what runs on a step."""
        if index <= self._closer_until:
            self._dispatch.take_everything()
        else:
            self._dispatch.due = self.budget.due(index, self._dispatch.sampled_names)

    def look_closer(self, index: int) -> None:
        """Run everything on the steps from ``index`` on: what came before could not be measured in time."""
        self._closer_until = index + _CLOSER_STEPS
        self._dispatch.take_everything()

    def _charge(self, took: float | None, spent: float, cost: dict[str, float]) -> None:
        """Hand costs to the budget; steps on which nothing was sampled are alike, so several at a time."""
        if took is None or cost:
            self.budget.account(took, spent, cost)
            return
        self._light_steps += 1
        self._light_spent += spent
        if self._light_steps == _LIGHT_STEPS:
            self.budget.account(None, self._light_spent / _LIGHT_STEPS, cost, _LIGHT_STEPS)
            self._light_steps, self._light_spent = 0, 0.0
