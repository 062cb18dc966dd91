"""Rows of named values become points: what every tabular or key=value format shares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..evidence import Value
from .figures import is_absent, number
from .gaps import Gap
from .plan import Roles, Slot
from .sink import Sink

_MOST_EPOCHS = 1e9
"""Above it a number is no epoch; NaN is none either."""


@dataclass(frozen=True)
class _Plan:
    """Which cell goes where, as (index, name) pairs; ``sums`` is (name, number of parts)."""

    counters: tuple[tuple[int, str], ...]
    train: tuple[tuple[int, str], ...]
    val: tuple[tuple[int, str], ...]
    sums: tuple[tuple[str, int], ...]
    loss_at: int | None


class Rows:
    """Turns rows into points of a sink.

    Args:
        sink: where the points go.
        mapping: evidence name -> column, what the user said.
        columns: the columns known from a look ahead.
        infer: whether a loss that is missing among its companions is read as NaN.
    """

    def __init__(
        self,
        sink: Sink,
        mapping: Mapping[str, str] | None = None,
        columns: Iterable[str] = (),
        infer: bool = True,
    ) -> None:
        self.sink = sink
        self.roles = Roles(columns, mapping)
        self.infer = infer
        self.hidden_zeros = 0
        self._told: int | str = ""
        self._met: set[str] = set()
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._gaps = {"loss": Gap("loss"), "val.loss": Gap("val.loss")}

    def feed(self, row: Mapping[str, Any], place: int | str = "", infer: bool = True) -> bool:
        """Take one row; return whether it held any value of a curve."""
        return self.feed_values(tuple(row), tuple(row.values()), place, infer)

    def feed_values(
        self,
        names: tuple[str, ...],
        values: Sequence[Any],
        place: int | str = "",
        infer: bool = True,
        counted: tuple[int, float] | None = None,
    ) -> bool:
        """Take one row as names and values; return whether it held any value, or was told to be unreadable.

        ``counted`` is the row's step and Unix time where no column says them.
        """
        plan = self._plans.get(names) or self._planned(names)
        train: dict[str, Value] = {}
        val: dict[str, Value] = {}
        counters: dict[str, Any] = {}
        self._figures(values, plan.counters, counters, place)
        if plan.train:
            self._figures(values, plan.train, train, place)
        if plan.val:
            self._figures(values, plan.val, val, place)
        self._complete(plan, train, val)
        if infer and self.infer:
            has_cell = plan.loss_at is not None and plan.loss_at < len(values)
            self._find_gaps(train, val, has_cell and "step" in counters)
        if counted is not None:
            counters["step"], counters["time"] = counted
        return self._emit(train, val, counters) or self._told == place != ""

    def feed_block(self, names: tuple[str, ...], block: Sequence[Sequence[Any]]) -> bool:
        """Take many rows at once where nothing in them needs a closer look; return whether they were taken.

        That is a block of rows of one width, all cells finite numbers, with a step that rises and a loss in
        each. Nearly all of a long log is like that.
        """
        plan = self._plans.get(names) or self._planned(names)
        plain = plan.loss_at is not None and not plan.sums and not plan.val and plan.counters[:1]
        if not plain or plan.counters[0][1] != "step" or self._gaps["loss"].open:
            return False
        try:
            columns = list(zip(*block, strict=True))
            counters = {home: list(map(float, columns[index])) for index, home in plan.counters}
            values = [list(map(float, columns[index])) for index, _ in plan.train]
        except (ValueError, TypeError, OverflowError, IndexError):
            return False
        if not all(math.isfinite(sum(column)) for column in (*counters.values(), *values)):
            return False
        named = [name for _, name in plan.train]
        points = [dict(zip(named, row, strict=True)) for row in zip(*values, strict=True)]
        epochs = counters.get("epoch")
        times = list(map(_clock, counters["time"])) if "time" in counters else None
        if epochs and not (min(epochs) >= -1.0 and max(epochs) <= _MOST_EPOCHS):
            return False
        if not self.sink.train_block(counters["step"], points, epochs, times):
            return False
        self._gaps["loss"].seen(points[0], len(points))
        return True

    def _figures(
        self,
        values: Sequence[Any],
        wanted: tuple[tuple[int, str], ...],
        into: dict[str, Value],
        place: int | str,
    ) -> None:
        """Put the numbers among some cells into a record's values; this is the inner loop of every import."""
        for index, name in wanted:
            value = values[index] if index < len(values) else None
            if type(value) is float:
                into[name] = value
            elif value is not None and value != "":
                try:
                    into[name] = float(value)
                except (ValueError, TypeError, OverflowError):
                    figure = number(value)
                    if figure is not None:
                        into[name] = figure
                    elif type(value) is str and not is_absent(value) and not name.startswith("extra/"):
                        self.sink.unread(place, f"{name} = {value!r}")
                        self._told = place

    def _planned(self, names: tuple[str, ...]) -> _Plan:
        self.roles.learn(names)
        self._met.update(names)
        slots = [self.roles.slots[name] for name in names]
        parts = [slot.part_of for slot in slots if slot.part_of]
        plan = _Plan(
            counters=tuple(_counters(slots)),
            train=tuple((i, slot.name) for i, slot in enumerate(slots) if slot.home == "train"),
            val=tuple((i, slot.name) for i, slot in enumerate(slots) if slot.home == "val"),
            sums=tuple((name, parts.count(name)) for name in dict.fromkeys(parts)),
            loss_at=next((i for i, slot in enumerate(slots) if "loss" in (slot.name, slot.part_of)), None),
        )
        if len(self._plans) < 4096:
            self._plans[names] = plan
        return plan

    def _complete(self, plan: _Plan, train: dict[str, Value], val: dict[str, Value]) -> None:
        for name, count in plan.sums:
            values = val if name.startswith("val.") else train
            parts = self.roles.chosen[name]
            found = [values[f"extra/{part}"] for part in parts if f"extra/{part}" in values]
            if len(found) == count == len(parts):
                values[name] = sum(value for value in found if isinstance(value, float | int))
        loss = train.get("loss")
        if loss == 0.0 and "grad.norm" in train and not _finite(train["grad.norm"]):
            # Trainers that filter NaN print 0.0; the gradient norm beside it says what it was.
            train["loss"], train["extra/log_loss"] = math.nan, loss
            self.hidden_zeros += 1

    def _find_gaps(self, train: dict[str, Value], val: dict[str, Value], counted: bool) -> None:
        bare = counted and not train and not val
        for name, values in (("loss", train), ("val.loss", val)):
            gap = self._gaps[name]
            if name in values:
                gap.seen(values)
            elif (values or (bare and values is train)) and gap.is_missing(values):
                values[name], values[f"extra/{name}_inferred"] = math.nan, 1

    def _emit(self, train: dict[str, Value], val: dict[str, Value], counters: dict[str, Any]) -> bool:
        step, epoch = counters.get("step"), counters.get("epoch")
        time = _clock(counters.get("time", 0.0))
        if epoch is not None and not -1.0 <= epoch <= _MOST_EPOCHS:
            epoch = None
        if train:
            self.sink.train(step, train, epoch, time)
        if val:
            self.sink.validation(step, val, epoch, time)
        return bool(train or val)

    def finish(self) -> None:
        """Tell the sink what was inferred, and take back what turned out to be the log's own rhythm."""
        for name, gap in self._gaps.items():
            if gap.inferred and gap.returned > 3:
                self.sink.retract(name)
            elif gap.inferred:
                reason = "as the values logged with it go on"
                self.sink.note(f"{gap.inferred} missing values of {name} were read as NaN, {reason}")
        if self.hidden_zeros:
            zeros = f"{self.hidden_zeros} losses of 0.0 beside a non-finite gradient norm"
            self.sink.note(f"{zeros} were read as NaN")
        for column in self.roles.slots:
            if column in self._met:
                self.sink.column(column)
        for name, columns in self.roles.chosen.items():
            if self._met & set(columns):
                self.sink.source(name, columns)


def _counters(slots: Sequence[Slot]) -> Iterator[tuple[int, str]]:
    """Yield the counters that count: of several of a kind the likeliest, and of equals the first."""
    for home in ("step", "epoch", "time"):
        rivals = [(-slot.rank, index) for index, slot in enumerate(slots) if slot.home == home]
        if rivals:
            yield min(rivals)[1], home


def _finite(value: Value) -> bool:
    return isinstance(value, float | int) and value - value == 0.0


def _clock(value: float) -> float:
    """Return Unix seconds; logs count in seconds, milliseconds or not from the epoch at all."""
    if value > 1e12:
        value /= 1e3
    return value if 1e8 < value < 1e11 else 0.0
