"""Where importers put what they read: rows become evidence, lines that say nothing are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Protocol

from ..evidence import Eval, Event, Step, Value
from .figures import LARGEST_STEP, whole_step
from .lineage import Lineage
from .writer import EvidenceWriter

MOST_EXAMPLES = 8
_UNDECIDED = 512
"""Rows without a step that are looked at before it is settled what counts them."""


class Sink(Protocol):
    """What an importer writes to."""

    def train(
        self, step: Any, values: dict[str, Value], epoch: float | None = None, time: float = 0.0
    ) -> None:
        """Take one row of the training curve; ``step`` is None where the log does not say."""

    def validation(
        self, step: Any, values: dict[str, Value], epoch: float | None = None, time: float = 0.0
    ) -> None:
        """Take one row of the validation curve."""

    def train_block(
        self,
        steps: list[float],
        values: Sequence[dict[str, Any]],
        epochs: list[float] | None,
        times: list[float] | None,
    ) -> bool:
        """Take rows with rising steps and a finite loss each; return False, with nothing taken, if not."""

    def event(self, name: str, step: int | None, data: Mapping[str, Any]) -> None:
        """Take something that happened once; ``step`` None means now."""

    def setting(self, name: str, value: Any) -> None:
        """Take a hyper-parameter."""

    def unread(self, place: int | str, text: str) -> None:
        """Count a line, row or cell that was not understood."""

    def note(self, text: str) -> None:
        """Take a plain sentence on what was inferred or lost."""

    def retract(self, name: str) -> None:
        """Take back the values of a quantity that were inferred, not read."""

    def source(self, name: str, columns: tuple[str, ...]) -> None:
        """Take the columns that a quantity was read from; several are summed."""

    def column(self, name: str) -> None:
        """Take the name of a column that the log has."""


@dataclass
class MemorySink:
    """A sink that keeps everything: for small samples, by which a format is recognised.

    Attributes:
        rows: (``train`` or ``val``, step, values, epoch, time), in order.
        said: everything else, as (kind, what was given).
    """

    rows: list[tuple[str, Any, dict[str, Value], float | None, float]] = field(default_factory=list)
    said: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    @property
    def losses(self) -> int:
        """Rows with a training or validation loss."""
        return sum("loss" in values or "val.loss" in values for _, _, values, _, _ in self.rows)

    def columns(self, name: str = "") -> list[str]:
        """Return the columns met, or those that a quantity was read from."""
        if not name:
            return [given[0] for kind, given in self.said if kind == "column"]
        sources = [given for kind, given in self.said if kind == "source"]
        return [column for quantity, columns in sources if quantity == name for column in columns]

    def train(
        self, step: Any, values: dict[str, Value], epoch: float | None = None, time: float = 0.0
    ) -> None:
        """Keep a row of the training curve."""
        self.rows.append(("train", step, values, epoch, time))

    def validation(
        self, step: Any, values: dict[str, Value], epoch: float | None = None, time: float = 0.0
    ) -> None:
        """Keep a row of the validation curve."""
        self.rows.append(("val", step, values, epoch, time))

    def train_block(
        self,
        steps: list[float],
        values: Sequence[dict[str, Any]],
        epochs: list[float] | None,
        times: list[float] | None,
    ) -> bool:
        """Keep each of many rows."""
        for step, row, epoch, time in zip(
            steps, values, epochs or repeat(None), times or repeat(0.0), strict=False
        ):
            self.train(step, row, epoch, time)
        return True

    def event(self, name: str, step: int | None, data: Mapping[str, Any]) -> None:
        """Keep an event."""
        self.said.append(("event", (name, step, dict(data))))

    def setting(self, name: str, value: Any) -> None:
        """Keep a hyper-parameter."""
        self.said.append(("setting", (name, value)))

    def unread(self, place: int | str, text: str) -> None:
        """Keep a line that was not understood."""
        self.said.append(("unread", (place, text)))

    def note(self, text: str) -> None:
        """Keep a sentence."""
        self.said.append(("note", (text,)))

    def retract(self, name: str) -> None:
        """Keep the name of a quantity whose inferred values were wrong."""
        self.said.append(("retract", (name,)))

    def source(self, name: str, columns: tuple[str, ...]) -> None:
        """Keep where a quantity was read from."""
        self.said.append(("source", (name, columns)))

    def column(self, name: str) -> None:
        """Keep the name of a column."""
        self.said.append(("column", (name,)))


@dataclass
class RunSink:
    """Writes rows as evidence of a run.

    Attributes:
        steps, evals, values: training rows, validation rows and numbers taken in.
        unread_count: lines, rows and cells that were not understood; ``examples`` holds a few.
        unit: what the step is: ``step`` as logged, ``epoch`` or ``row``.
    """

    writer: EvidenceWriter
    steps: int = 0
    evals: int = 0
    values: int = 0
    losses: int = 0
    unread_count: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    unit: str = ""
    first_time: float = 0.0
    last_time: float = 0.0
    lineage: Lineage = field(init=False)
    _telling: list[tuple[str, str]] = field(default_factory=list)
    _dull: list[tuple[str, str]] = field(default_factory=list)
    _events: list[Event] = field(default_factory=list)
    _waiting: list[Step | Eval] = field(default_factory=list)
    _retracted: set[str] = field(default_factory=set)
    _row: int = -1
    _row_epoch: float | None = None
    _now: int = 0

    def __post_init__(self) -> None:
        self.lineage = Lineage(self.writer)

    def train(
        self, step: Any, values: dict[str, Value], epoch: float | None = None, time: float = 0.0
    ) -> None:
        """Take one row of the training curve; ``step`` is None where the log does not say."""
        self.steps += 1
        if "loss" in values:
            self.losses += 1
        self._take(step, Step(0, time, epoch, None, values))

    def validation(
        self, step: Any, values: dict[str, Value], epoch: float | None = None, time: float = 0.0
    ) -> None:
        """Take one row of the validation curve."""
        self.evals += 1
        if "val.loss" in values:
            self.losses += 1
        self._take(step, Eval(0, time, epoch, values))

    def train_block(
        self,
        steps: list[float],
        values: Sequence[dict[str, Any]],
        epochs: list[float] | None,
        times: list[float] | None,
    ) -> bool:
        """Take rows with rising steps and a finite loss each; return False, with nothing taken, if not."""
        if self.unit != "step" or not -LARGEST_STEP < steps[0] <= steps[-1] < LARGEST_STEP:
            return False
        count = len(steps)
        each = zip(steps, times or repeat(0.0), epochs or repeat(None), values, strict=False)
        points = [Step(round(step), time, epoch, None, v) for step, time, epoch, v in each]
        if not self.lineage.extend(points):
            return False
        self.steps += count
        self.losses += count
        self.values += count * len(values[0])
        if times and times[-1]:
            self.first_time = self.first_time or times[0]
            self.last_time = times[-1]
        self._now = points[-1].step
        return True

    def _take(self, step: Any, point: Step | Eval) -> None:
        self.values += len(point.v)
        if point.time:
            self.first_time = self.first_time or point.time
            self.last_time = point.time
        if type(step) is float and -LARGEST_STEP < step < LARGEST_STEP:
            step = round(step)
        elif step is not None:
            step = whole_step(step)
        if step is None:
            self._uncounted(point)
            return
        if self.unit != "step":
            self._settle("step")
        point.step = self._now = step
        self.lineage.place(point)

    def _uncounted(self, point: Step | Eval) -> None:
        """Take a row without a step: number it by its epoch or by its place in the log."""
        if not self.unit:
            self._waiting.append(point)
            if len(self._waiting) >= _UNDECIDED:
                self._settle("")
            return
        self._number(point)

    def _settle(self, unit: str) -> None:
        waiting, self._waiting = self._waiting, []
        self.unit = unit or ("epoch" if _epochs_count(waiting) else "row")
        for point in waiting:
            self._number(point)

    def _number(self, point: Step | Eval) -> None:
        if self.unit == "epoch" and point.epoch is not None:
            point.step = round(point.epoch)
        else:
            marks = type(point) is Step and "loss" in point.v
            if self.unit == "row":
                self._now = self._row = self._row + (1 if marks or self._row < 0 else 0)
            elif marks:
                self._now += 1
            point.step = self._now
        self.lineage.place(point)

    def event(self, name: str, step: int | None, data: Mapping[str, Any]) -> None:
        """Take something that happened once; ``step`` None means now."""
        if len(self._events) < 4096:
            self._events.append(Event(name, self._now if step is None else step, data=dict(data)))

    def setting(self, name: str, value: Any) -> None:
        """Take a hyper-parameter."""
        if len(self.settings) < 512:
            self.settings[str(name)[:120]] = value

    def unread(self, place: int | str, text: str) -> None:
        """Count a line, row or cell that was not understood."""
        self.unread_count += 1
        # A line that speaks of a loss is the one to look into; others fill what room is left.
        where = f"line {place}" if type(place) is int else str(place)
        telling = "loss" in text[:400].lower()
        if len(self._telling if telling else self._dull) < MOST_EXAMPLES:
            (self._telling if telling else self._dull).append((where, text.strip()[:160]))

    @property
    def examples(self) -> list[tuple[str, str]]:
        """A few of the lines that were not understood, as (place, text); telling ones first."""
        return (self._telling + self._dull)[:MOST_EXAMPLES]

    def note(self, text: str) -> None:
        """Take a plain sentence on what was inferred or lost."""
        if text not in self.notes and len(self.notes) < 64:
            self.notes.append(text)

    def retract(self, name: str) -> None:
        """Take back the values of a quantity that were inferred, not read."""
        self._retracted.add(name)

    def source(self, name: str, columns: tuple[str, ...]) -> None:
        """Take the columns that a quantity was read from; several are summed."""
        self.sources.setdefault(name, " + ".join(columns))

    def column(self, name: str) -> None:
        """Take the name of a column that the log has."""
        if len(self.seen) < 4096:
            self.seen.add(name)

    def finish(self) -> None:
        """Settle what waits and close the evidence file."""
        if not self.unit:
            self._settle("")
        segments = self.lineage.finish()
        for name in self._retracted:
            self.writer.take_back_inferred(name)
        self.writer.close([*self._events, *segments])


def _epochs_count(points: list[Step | Eval]) -> bool:
    """Tell whether the epoch numbers the rows: whole, known, and never twice with different losses."""
    epochs = [(p.epoch, p.v.get("loss")) for p in points if type(p) is Step and "loss" in p.v]
    if not epochs:
        epochs = [(p.epoch, p.v.get("val.loss")) for p in points if "val.loss" in p.v]
    if not epochs or any(epoch is None or epoch != int(epoch) for epoch, _ in epochs):
        return False
    seen: dict[float, str] = {}
    again = 0
    for epoch, loss in epochs:
        # By their text, as NaN differs from itself.
        if epoch is not None and seen.setdefault(epoch, repr(loss)) != repr(loss):
            again += 1
    # A resumed run repeats a few epochs; a log of every batch repeats nearly all.
    return again <= len(epochs) // 3
