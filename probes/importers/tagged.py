"""Logs that keep one series a quantity: series are aligned to rows, restarts found by the clock."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Mapping

from .plan import Roles
from .rows import Rows
from .sink import Sink


class Series:
    """One quantity as it was logged: steps, values and Unix times, in the order written."""

    def __init__(self) -> None:
        self.step = array("q")
        self.value = array("d")
        self.time = array("d")

    def add(self, step: int, value: float, time: float) -> None:
        """Take one point."""
        self.step.append(step)
        self.value.append(value)
        self.time.append(time)

    def __len__(self) -> int:
        return len(self.step)


def feed_series(series: Mapping[str, Series], sink: Sink, mapping: Mapping[str, str]) -> None:
    """Feed series to a sink as rows, one row a step.

    Where the curve's step goes back, the job was started again: the points of all series are split at that
    time, and each part is fed as it stands, so that the sink sees the restart.
    """
    filled = {name: points for name, points in series.items() if len(points)}
    roles = Roles(filled, mapping)
    rows = Rows(sink, mapping, filled, infer=False)
    borders = _restarts([filled[name] for name in _curve(roles, filled)])
    parts: list[dict[int, dict[str, float]]] = [{} for _ in range(len(borders) + 1)]
    clocks: list[dict[int, float]] = [{} for _ in parts]
    for name, points in filled.items():
        for step, value, time in zip(points.step, points.value, points.time, strict=True):
            index = bisect_right(borders, time)
            parts[index].setdefault(step, {})[name] = value
            clocks[index].setdefault(step, time)
    for part, clock in zip(parts, clocks, strict=True):
        for step, row in sorted(part.items(), key=lambda item: item[0]):
            rows.feed_values(tuple(row), tuple(row.values()), f"step {step}", counted=(step, clock[step]))
    rows.finish()


def _curve(roles: Roles, series: Mapping[str, Series]) -> list[str]:
    """Return the series that restarts are read from: the loss, else the longest one."""
    for name in ("loss", "val.loss"):
        columns = [column for column in roles.chosen.get(name, ()) if column in series]
        if columns:
            return columns[:1]
    return [max(series, key=lambda name: len(series[name]))] if series else []


def _restarts(curves: list[Series]) -> list[float]:
    """Return the times before which a new start lies, ascending."""
    borders: list[float] = []
    for points in curves:
        last = None
        for index, step in enumerate(points.step):
            if last is not None and step < last and points.time[index] > points.time[index - 1]:
                borders.append((points.time[index - 1] + points.time[index]) / 2)
            last = step
    return borders if len(borders) <= 64 else []
