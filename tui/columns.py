"""A run's curves as columns: only the quantities that are drawn are decoded, block by block.

A run of a million steps would take gigabytes as records; as columns it takes a few bytes a step and
quantity, and is read about as fast as the disk gives it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import attrgetter
from pathlib import Path
from typing import Any, Union

import msgspec
import numpy as np

from ..probes.evidence import RunDirectory
from ..probes.evidence.reader import FloatArray

BLOCK = 1 << 20
"""Bytes decoded at a time: small enough that the interface stays alive between two blocks."""

STEP_NAMES = ("loss", "grad.norm", "lr", "step.time", "batch.size", "output.accuracy", "update.ratio")
EVAL_NAMES = ("val.loss", "val.accuracy")
NEWEST = 50
"""Rows whose times are kept, which tells how fast the job is now."""
GPUS = 8
"""GPUs of one machine that are followed."""
GAUGE_NAMES = (
    *(f"gpu.{name}/{index}" for name in ("temperature", "utilization", "memory") for index in range(GPUS)),
    "host.memory",
    "process.rss",
)


@dataclass(frozen=True)
class Series:
    """One quantity over steps, all float64 [n], steps ascending; epochs are NaN where unknown."""

    step: FloatArray
    value: FloatArray
    epoch: FloatArray

    def __len__(self) -> int:
        return len(self.step)


@dataclass(frozen=True)
class EventNote:
    """An event as the event list shows it."""

    name: str
    step: int
    time: float
    data: dict[str, Any]


class Growing:
    """A float64 array that grows at the end."""

    def __init__(self) -> None:
        self._buffer: FloatArray = np.empty(256)
        self._length = 0

    def extend(self, values: FloatArray) -> None:
        """Add values at the end."""
        needed = self._length + len(values)
        if needed > len(self._buffer):
            larger = np.empty(max(needed, 2 * len(self._buffer)))
            larger[: self._length] = self.array
            self._buffer = larger
        self._buffer[self._length : needed] = values
        self._length = needed

    @property
    def array(self) -> FloatArray:
        """The values so far, float64 [n], without a copy."""
        return self._buffer[: self._length]


class _Table:
    """The rows of one kind of record: step, epoch and the chosen quantities."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.columns = {name: Growing() for name in ("#step", "#epoch", *names)}
        self.newest: list[tuple[float, float]] = []
        """Time and step of the last `NEWEST` rows."""

    def add(self, rows: list[Any]) -> None:
        for key in ("step", "epoch"):
            self.columns[f"#{key}"].extend(_numbers(rows, key))
        self.newest = [*self.newest, *((row.time, row.step) for row in rows[-NEWEST:])][-NEWEST:]
        values = [row.v for row in rows]
        for index, name in enumerate(self.names):
            self.columns[name].extend(_numbers(values, f"f{index}"))

    def series(self, name: str) -> Series:
        """Return steps, values and epochs of the rows that carry the quantity; views where all do."""
        length = min(len(column.array) for column in self.columns.values())
        step, epoch, value = (self.columns[key].array[:length] for key in ("#step", "#epoch", name))
        # A measured NaN must stay, so a quantity that a row lacks is a NaN with bits of its own.
        absent = _is_absent(value)
        if absent.any():
            step, epoch, value = step[~absent], epoch[~absent], value[~absent]
        if len(step) > 1 and np.any(step[1:] < step[:-1]):
            order = np.argsort(step, kind="stable")
            step, epoch, value = step[order], epoch[order], value[order]
        return Series(step, value, epoch)


_ABSENT_BITS = np.uint64(0x7FF8_0000_0000_1DEA)
_ABSENT = float(np.array([_ABSENT_BITS], dtype=np.uint64).view(np.float64)[0])


def _numbers(rows: list[Any], attribute: str) -> FloatArray:
    """Return an attribute of every row, float64 [n]; what a row lacks carries the mark of absence."""
    get = attrgetter(attribute)
    try:
        array = np.fromiter(map(get, rows), dtype=float, count=len(rows))
    except (TypeError, ValueError):
        return np.array([_number(get(row)) for row in rows])
    # NumPy takes null for a NaN as it does the spelled one; only the latter was measured.
    for index in np.flatnonzero(np.isnan(array) & ~_is_absent(array)):
        if get(rows[index]) is None:
            array[index] = _ABSENT
    return array


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return _ABSENT


def _is_absent(values: FloatArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    absent: np.ndarray[Any, np.dtype[np.bool_]] = values.view(np.uint64) == _ABSENT_BITS
    return absent


class Columns:
    """Curves of one run, growing with it.

    Args:
        run: the run directory.
        step: quantities of the step records to keep; likewise ``eval_`` and ``gauge``.
    """

    def __init__(
        self,
        run: RunDirectory,
        step: Sequence[str] = STEP_NAMES,
        eval_: Sequence[str] = EVAL_NAMES,
        gauge: Sequence[str] = GAUGE_NAMES,
    ) -> None:
        self.run = run
        self.names = {"step": tuple(step), "eval": tuple(eval_), "gauge": tuple(gauge)}
        self._decoder = _decoder(self.names)
        self._restart()

    def _restart(self) -> None:
        self.tables = {kind: _Table(names) for kind, names in self.names.items()}
        self.events: list[EventNote] = []
        self.damaged = 0
        self._files: dict[Path, tuple[int, int]] = {}

    def poll(self, pause: Callable[[], None] | None = None) -> int:
        """Read what came since the last call and return the number of rows.

        Args:
            pause: called between two blocks, for a worker that must let others run or be cancelled.
        """
        count = 0
        for path in self._paths():
            status = _stat(path)
            inode, offset = self._files.get(path, (status.st_ino if status else 0, 0))
            if status is None or status.st_size == offset:
                continue
            if status.st_ino != inode or status.st_size < offset:
                # The recorder replaced the file by a thinned one.
                self._restart()
                return self.poll(pause)
            for block, end in _whole_lines(path, offset):
                count += self._take(block)
                self._files[path] = (inode, end)
                if pause:
                    pause()
        return count

    def progress(self) -> float:
        """Return the share of the evidence that is read, 0 to 1."""
        total = sum(status.st_size for path in self._paths() if (status := _stat(path)))
        return min(sum(offset for _, offset in self._files.values()) / total, 1.0) if total else 1.0

    def _paths(self) -> list[Path]:
        files = list(self.run.evidence_files())
        return [path for rank, _, path in files if rank == files[0][0]]

    def _take(self, block: bytes) -> int:
        rows = self._decode(block)
        kinds = list(map(_KIND, rows))
        for kind, table in self.tables.items():
            if chosen := _of_kind(rows, kinds, kind):
                table.add(chosen)
        events = _of_kind(rows, kinds, "event")
        self.events += [EventNote(row.name, row.step, row.time, row.data) for row in events]
        return len(rows)

    def _decode(self, block: bytes) -> list[Any]:
        try:
            rows: list[Any] = self._decoder.decode_lines(block)
            return rows
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._decode_singly(block)

    def _decode_singly(self, block: bytes) -> list[Any]:
        rows = []
        for line in block.splitlines():
            try:
                rows.append(self._decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.damaged += 1
        return rows

    def series(self, name: str, kind: str = "step") -> Series:
        """Return one quantity over steps; empty where nothing was recorded.

        Raises:
            KeyError: the quantity was not asked for at construction.
        """
        return self.tables[kind].series(name)

    def last(self, name: str, kind: str = "step") -> float | None:
        """Return the latest value of a quantity, None where there is none."""
        value = self.tables[kind].columns[name].array
        present = np.flatnonzero(~_is_absent(value))
        return float(value[present[-1]]) if len(present) else None

    def clock(self, name: str) -> FloatArray:
        """Return ``step`` or ``epoch`` of every step record, float64 [n]."""
        return self.tables["step"].columns[f"#{name}"].array

    def newest(self) -> list[tuple[float, float]]:
        """Return Unix time in seconds and step of the last `NEWEST` step records, the oldest first."""
        return self.tables["step"].newest


def _decoder(names: dict[str, tuple[str, ...]]) -> Any:
    """Return a decoder of rows that skips every quantity not named, at the speed of the parser."""
    place: list[Any] = [("step", int, 0), ("time", float, 0.0)]
    rows = [_row("header", []), _row("event", [("name", str), *place, ("data", dict[str, Any], {})])]
    for kind, wanted in names.items():
        body = msgspec.defstruct(
            "Values",
            [
                (f"f{index}", float | str | None, msgspec.field(name=name, default=_ABSENT))
                for index, name in enumerate(wanted)
            ],
            gc=False,
            frozen=True,
        )
        rows.append(_row(kind, [*place, ("epoch", float | None, _ABSENT), ("v", body, body())]))
    return msgspec.json.Decoder(Union[tuple(rows)])  # noqa: UP007 - the members are known at run time only


def _row(kind: str, fields: list[Any]) -> Any:
    return msgspec.defstruct(
        kind.title(), fields, tag_field="k", tag=kind, namespace={"kind": kind}, gc=False
    )


_KIND = attrgetter("kind")


def _of_kind(rows: list[Any], kinds: list[str], kind: str) -> list[Any]:
    """Return the rows of one kind; a loop in Python over a million rows would take as long as parsing."""
    count = kinds.count(kind)
    if count in (0, len(rows)):
        return rows if count else []
    return list(compress(rows, map(kind.__eq__, kinds)))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _whole_lines(path: Path, offset: int) -> Iterator[tuple[bytes, int]]:
    """Yield (block of whole lines, offset behind it); a torn last line waits for its rest."""
    rest = b""
    with path.open("rb") as stream:
        stream.seek(offset)
        while block := stream.read(BLOCK):
            block = rest + block
            whole = block.rfind(b"\n") + 1
            rest = block[whole:]
            if whole:
                offset += whole
                yield block[:whole], offset
