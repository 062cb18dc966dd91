"""The sink of an import: rows become evidence of a run, lines that say nothing are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, repeat
from typing import Any

from ..evidence import Eval, Event, Step, Value
from .figures import LARGEST_STEP, whole_step
from .lineage import Lineage
from .writer import EvidenceWriter

MOST_EXAMPLES = 8
_UNDECIDED = 512
"""Rows without a step that are looked at before it is settled what counts them."""


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
    _row_epoch: int | None = None
    _first_rows: dict[int, int] = field(default_factory=dict)
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
                if marks:
                    self._go_back(point.epoch)
                self._now = self._row = self._row + (1 if marks or self._row < 0 else 0)
            elif marks:
                self._now += 1
            point.step = self._now
        self.lineage.place(point)

    def _go_back(self, epoch: float | None) -> None:
        """Where rows are counted and the epoch goes back, go back to the row at which it began before."""
        if epoch is None:
            return
        whole = int(epoch)
        if self._row_epoch is not None and whole < self._row_epoch:
            later = [first for known, first in self._first_rows.items() if known >= whole]
            self._row = min(later, default=0) - 1
            self._first_rows = {known: first for known, first in self._first_rows.items() if known < whole}
        self._row_epoch = whole
        self._first_rows.setdefault(whole, self._row + 1)

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
    # By their text, as NaN differs from itself. An appended run repeats epochs, but not one after the other.
    again = sum(a == b and repr(x) != repr(y) for (a, x), (b, y) in pairwise(epochs))
    return again <= len(epochs) // 20
