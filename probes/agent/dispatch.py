"""Calls sensors: timed, with gradients disabled, and so that nothing they raise reaches the job."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar

import torch

from ..sensors.base import HOOKS, Sensor

TOO_LONG = 2.0
"""Seconds after which one call of a sensor counts as hanging, and the sensor is switched off."""

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Dispatch:
    """Knows which sensors listen to which hook, what each has cost, and which are due.

    Args:
        disabled: called with a sensor's name and the reason when it is switched off.
    """

    def __init__(self, disabled: Callable[[str, str], None]) -> None:
        self.sensors: list[Sensor] = []
        self.due: set[str] = set()
        self.cost: dict[str, float] = {}
        """Seconds per sensor since the counter was last taken."""
        self.spent = 0.0
        """Seconds in all hooks since the counter was last taken."""
        self._disabled = disabled
        self._depth = 0
        self._table: dict[str, list[tuple[Sensor, Callable[..., None]]]] = {hook: [] for hook in HOOKS}

    def add(self, sensor: Sensor) -> None:
        """Take a sensor in and let it install its patches."""
        self.sensors.append(sensor)
        self.cost[sensor.name] = 0.0
        for hook in HOOKS:
            if getattr(type(sensor), hook) is not getattr(Sensor, hook):
                self._table[hook].append((sensor, getattr(sensor, hook)))
        try:
            sensor.install()
        except Exception as error:  # noqa: BLE001 - a probe never reaches the job
            self.switch_off(sensor, error)

    def run(self, hook: str, *args: Any) -> None:
        """Call one hook of every sensor that is due."""
        table = self._table[hook]
        if not table:
            return
        enabled = torch.is_grad_enabled()
        if enabled:
            torch._C._set_grad_enabled(False)
        try:
            for sensor, method in tuple(table):
                if not sensor.sampled or sensor.name in self.due:
                    self._call(sensor, method, args)
        finally:
            if enabled:
                torch._C._set_grad_enabled(True)

    def _call(self, sensor: Sensor, method: Callable[..., None], args: tuple[Any, ...]) -> None:
        began = perf_counter()
        try:
            method(*args)
        except Exception as error:  # noqa: BLE001 - a probe never reaches the job
            self.switch_off(sensor, error)
        took = perf_counter() - began
        self.cost[sensor.name] += took
        if took > TOO_LONG:
            self.switch_off(sensor, TimeoutError(f"one call took {took:.1f} s"))

    def switch_off(self, sensor: Sensor, error: BaseException) -> None:
        """Take a sensor out and say why."""
        if sensor not in self.sensors:
            return
        self.sensors.remove(sensor)
        for entries in self._table.values():
            entries[:] = [entry for entry in entries if entry[0] is not sensor]
        self._disabled(sensor.name, describe(error))

    def protect(self, function: _Function, sensor: Sensor | None = None) -> _Function:
        """Return ``function`` made safe to be called from the job: timed, and it never raises."""

        def guarded(*args: Any, **kwargs: Any) -> Any:
            if sensor is not None and sensor not in self.sensors:
                return None
            began = perf_counter()
            self._depth += 1
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - a probe never reaches the job
                if sensor is not None:
                    self.switch_off(sensor, error)
                else:
                    self._disabled("core", describe(error))
                return None
            finally:
                self._depth -= 1
                took = perf_counter() - began
                if not self._depth:
                    self.spent += took
                if sensor is not None:
                    self.cost[sensor.name] += took

        return guarded  # type: ignore[return-value]

    def take_spent(self) -> float:
        """Return the seconds spent since the last call."""
        spent, self.spent = self.spent, 0.0
        return spent


def describe(error: BaseException) -> str:
    """Name an exception and the place it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}: {error}{place}"[:500]
