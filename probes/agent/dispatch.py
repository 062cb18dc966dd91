"""Calls sensors: timed, with gradients disabled, and so that nothing they raise reaches the job."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any, TypeAlias, TypeVar

import torch

from ..sensors.base import HOOKS, Sensor

TOO_LONG = 2.0
"""Seconds after which one call of a sensor counts as hanging, and the sensor is switched off."""

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Entry: TypeAlias = tuple[Sensor, Callable[..., None]]


class Dispatch:
    """Knows which sensors listen to which hook, what each has cost, and which are due.

    Args:
        disabled: called with a sensor's name and the reason when it is switched off.
    """

    def __init__(self, disabled: Callable[[str, str], None]) -> None:
        self.sensors: list[Sensor] = []
        self.sampled_names: list[str] = []
        """Sensors that the budget decides on."""
        self.due: set[str] = set()
        """Sampled sensors that run on the step under way."""
        self.cost: dict[str, float] = {}
        """Seconds per sampled sensor since the counters were last taken."""
        self.spent = 0.0
        """Seconds in all hooks since the counter was last taken."""
        self._disabled = disabled
        self._depth = 0
        self._always: dict[str, list[_Entry]] = {hook: [] for hook in HOOKS}
        self._sampled: dict[str, list[_Entry]] = {hook: [] for hook in HOOKS}

    def add(self, sensor: Sensor) -> None:
        """Take a sensor in and let it install its patches."""
        self.sensors.append(sensor)
        if sensor.sampled:
            self.sampled_names.append(sensor.name)
        for hook in HOOKS:
            if getattr(type(sensor), hook) is not getattr(Sensor, hook):
                always = not sensor.sampled or hook in sensor.always
                (self._always if always else self._sampled)[hook].append((sensor, getattr(sensor, hook)))
        try:
            sensor.install()
        except Exception as error:  # noqa: BLE001 - a probe never reaches the job
            self.switch_off(sensor, error)

    def take_everything(self) -> None:
        """Make every sampled sensor due."""
        self.due = set(self.sampled_names)

    def run(self, hook: str, *args: Any) -> None:
        """Call one hook of every sensor that is due.

        Written out in one piece: on most steps of a fast loop nothing but this runs, and each function
        more would cost as much as what it does.
        """
        always = self._always[hook]
        sampled = self._sampled[hook] if self.due else ()
        if not always and not sampled:
            return
        enabled = torch.is_grad_enabled()
        if enabled:
            torch._C._set_grad_enabled(False)
        began = perf_counter()
        try:
            due = self.due
            entries = always
            if sampled:
                entries = [*always, *(entry for entry in sampled if entry[0].name in due)]
            for sensor, method in tuple(entries):
                try:
                    method(*args)
                except Exception as error:  # noqa: BLE001 - a probe never reaches the job
                    self.switch_off(sensor, error)
                now = perf_counter()
                took, began = now - began, now
                if due and sensor.sampled and sensor.name in due:
                    self.cost[sensor.name] = self.cost.get(sensor.name, 0.0) + took
                if took > TOO_LONG:
                    self.switch_off(sensor, TimeoutError(f"one call took {took:.1f} s"))
        finally:
            if enabled:
                torch._C._set_grad_enabled(True)

    def listen(self, sensor: Sensor, hook: str, on: bool) -> None:
        """Start or stop calling a hook of a sensor that needs it at times only."""
        entries = self._always[hook]
        listening = any(entry[0] is sensor for entry in entries)
        if on and not listening and sensor in self.sensors:
            entries.append((sensor, getattr(sensor, hook)))
        elif not on and listening:
            entries[:] = [entry for entry in entries if entry[0] is not sensor]

    def all_may_rest(self, hooks: Iterable[str]) -> bool:
        """Whether nothing that listens to these hooks on every step has to see a step like the one before."""
        return all(sensor.rests for hook in hooks for sensor, _ in self._always[hook])

    def fail(self, error: Exception) -> None:
        """Something outside of all sensors has raised."""
        self._disabled("core", describe(error))

    def retire(self, sensor: Sensor) -> None:
        """Take a sensor out that has nothing to look at in this job."""
        if sensor in self.sensors:
            self.sensors.remove(sensor)
            if sensor.sampled:
                self.sampled_names.remove(sensor.name)
            for table in (self._always, self._sampled):
                for entries in table.values():
                    entries[:] = [entry for entry in entries if entry[0] is not sensor]

    def switch_off(self, sensor: Sensor, error: BaseException) -> None:
        """Take a sensor out and say why."""
        if sensor in self.sensors:
            self.retire(sensor)
            self._disabled(sensor.name, describe(error))

    def protect(self, function: _Function, sensor: Sensor | None = None) -> _Function:
        """Return ``function`` made safe to be called from the job: timed, and it never raises."""

        def guarded(*args: Any, **kwargs: Any) -> Any:
            if sensor is not None and sensor not in self.sensors:
                return None
            if self._depth:
                # Inside another one: its time is counted there.
                try:
                    return function(*args, **kwargs)
                except Exception as error:  # noqa: BLE001 - a probe never reaches the job
                    return self._failed(sensor, error)
            began = perf_counter()
            self._depth = 1
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - a probe never reaches the job
                return self._failed(sensor, error)
            finally:
                self._depth = 0
                self.spent += perf_counter() - began

        return guarded  # type: ignore[return-value]

    def _failed(self, sensor: Sensor | None, error: Exception) -> None:
        if sensor is not None:
            self.switch_off(sensor, error)
        else:
            self.fail(error)

    def take_spent(self) -> tuple[float, dict[str, float]]:
        """Return the seconds spent since the last call, in all and by each sampled sensor that ran."""
        spent, cost = self.spent, self.cost
        self.spent, self.cost = 0.0, {}
        return spent, cost


def describe(error: BaseException) -> str:
    """Name an exception and the place it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{place}"[:500]
