"""Rows of named values become points: what every tabular or key=value format shares."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..evidence import Value
from .figures import is_absent, number
from .names import guess
from .plan import Roles, Slot
from .sink import Sink

_ENOUGH = 2
"""Rows in which a value came with the loss before its absence is read as not a number."""

_COMPANIONS = ("lr", "grad.norm", "amp.scale")


class Gap:
    """Notices a loss that is missing where everything around it goes on: NaN in an empty cell.

    Args:
        name: ``loss`` or ``val.loss``.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._splits = ("val", "test") if name == "val.loss" else ("train",)
        self.inferred = 0
        self.returned = 0
        self._rows = 0
        self._with: dict[str, int] = {}
        self._without: set[str] = set()
        self._open = False

    def seen(self, values: Mapping[str, Value]) -> None:
        """Learn from a row that has the loss."""
        if self._open:
            self.returned += 1
            self._open = False
        self._rows += 1
        if self._rows > 2000 and self._rows & 63:
            return
        for name in values:
            self._with[name] = self._with.get(name, 0) + 1

    def is_missing(self, values: Mapping[str, Value]) -> bool:
        """Tell whether a row without the loss should have one; a row of counters alone should."""
        if self._rows < _ENOUGH or self.returned > 3:
            self._without.update(values)
            return False
        usual = [
            n for n, count in self._with.items() if 2 * count >= min(self._rows, 2000) and self._tells(n)
        ]
        here = sum(name in values for name in usual)
        if values and (not here or 2 * here < len(usual)):
            self._without.update(name for name in values if not self.inferred)
            return False
        self.inferred += 1
        self._open = True
        return True

    def _tells(self, name: str) -> bool:
        """Tell whether a value is measured where the loss is: clocks and counters go on without it."""
        if name == self.name or name in self._without:
            return False
        if name in _COMPANIONS:
            return True
        found = guess(name.removeprefix("extra/"))
        return found.split in self._splits or (found.kind in ("loss", "accuracy") and not found.split)


@dataclass(frozen=True)
class _Plan:
    slots: tuple[Slot | None, ...]
    sums: tuple[tuple[str, int], ...]
    has_loss: bool


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
        """Take one row as names and values; return whether it held any value of a curve.

        ``counted`` is the row's step and Unix time where no column says them.
        """
        plan = self._plans.get(names) or self._planned(names)
        train: dict[str, Value] = {}
        val: dict[str, Value] = {}
        counters: dict[str, float] = {}
        for slot, value in zip(plan.slots, values, strict=False):
            if slot is None or value is None or value == "":
                continue
            try:
                # Most cells are plain numbers, and this is the inner loop of every import.
                figure = value if type(value) is float else float(value)
            except (ValueError, TypeError, OverflowError):
                known = self._number(value, slot, place)
                if known is None:
                    continue
                figure = known
            if slot.home == "train":
                train[slot.name] = figure
            elif slot.home == "val":
                val[slot.name] = figure
            else:
                counters[slot.home] = figure
        self._complete(plan, train, val)
        if infer and self.infer:
            self._find_gaps(train, val, plan.has_loss and "step" in counters)
        if counted is not None:
            counters["step"], counters["time"] = counted
        return self._emit(train, val, counters)

    def _planned(self, names: tuple[str, ...]) -> _Plan:
        self.roles.learn(names)
        self._met.update(names)
        slots: list[Slot | None] = [self.roles.slots[name] for name in names]
        for home in ("step", "epoch", "time"):
            # Of several counters one counts: the likeliest, and of equals the first.
            rivals = [
                (-slot.rank, i) for i, slot in enumerate(slots) if slot is not None and slot.home == home
            ]
            for _, index in sorted(rivals)[1:]:
                slots[index] = None
        slots = [None if slot is not None and slot.home == "skip" else slot for slot in slots]
        parts = [slot.part_of for slot in slots if slot is not None and slot.part_of]
        has_loss = any(slot is not None and "loss" in (slot.name, slot.part_of) for slot in slots)
        plan = _Plan(
            tuple(slots), tuple((name, parts.count(name)) for name in dict.fromkeys(parts)), has_loss
        )
        if len(self._plans) < 4096:
            self._plans[names] = plan
        return plan

    def _number(self, value: Any, slot: Slot, place: int | str) -> float | None:
        figure = number(value)
        if (
            figure is None
            and type(value) is str
            and not is_absent(value)
            and not slot.name.startswith("extra/")
        ):
            self.sink.unread(place, f"{slot.name or slot.home} = {value!r}")
        return figure

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

    def _emit(self, train: dict[str, Value], val: dict[str, Value], counters: dict[str, float]) -> bool:
        step, epoch = counters.get("step"), counters.get("epoch")
        time = _clock(counters.get("time", 0.0))
        if epoch is not None and epoch - epoch != 0.0:
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


def _finite(value: Value) -> bool:
    return isinstance(value, float | int) and value - value == 0.0


def _clock(value: float) -> float:
    """Return Unix seconds; logs count in seconds, milliseconds or not from the epoch at all."""
    if value > 1e12:
        value /= 1e3
    return value if 1e8 < value < 1e11 else 0.0
