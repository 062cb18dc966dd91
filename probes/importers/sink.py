"""Where importers put what they read: rows become evidence, lines that say nothing are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Protocol

from ..evidence import Value


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
