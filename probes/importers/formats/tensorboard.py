"""TensorBoard: event files, of any writer and version."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from ..sink import Sink
from ..source import LogError, Sample, Source
from ..tagged import Series, feed_series
from ..wire import BYTES, FIXED32, FIXED64, VARINT, double, fields, signed, single, text, varint

_LARGEST_RECORD = 1 << 28
_LARGEST_TAG = 500
_DTYPE_FLOAT, _DTYPE_DOUBLE, _DTYPE_INT32, _DTYPE_INT64, _DTYPE_HALF, _DTYPE_BFLOAT16 = 1, 2, 3, 9, 19, 14


class TensorBoard:
    """TensorBoard event files (``simple_value`` and scalar tensors); several files of a run are one run.

    Recognised by the framing of records and the ``brain.Event`` version. Tags are named like columns
    (``train/loss``, ``Loss/val``); a sub-folder's name stands before its tags. A job that was started
    again is found by the step that goes back.
    """

    name: ClassVar[str] = "tensorboard"
    example: ClassVar[str] = ""

    def sniff(self, sample: Sample) -> float:
        """Tell by the first record: its length is repeated by the framing, its content names the version."""
        if sample.path.is_dir():
            return 0.98 if event_files(sample.path) else 0.0
        return 0.98 if is_event_file(sample.head) else 0.0

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read one file, or all of a folder, into a sink."""
        folder = source.path
        files = event_files(folder) if folder.is_dir() else [folder]
        series: dict[str, Series] = {}
        for path in files:
            prefix = "" if folder in (path.parent, path) else f"{path.parent.relative_to(folder)}/"
            _collect(Source(path), prefix, series, sink)
        feed_series(series, sink, mapping)


def is_event_file(head: bytes) -> bool:
    """Tell whether bytes begin with an event record."""
    if len(head) < 24:
        return False
    (length,) = struct.unpack("<Q", head[:8])
    record = head[12 : 12 + length]
    return 9 <= length < _LARGEST_RECORD and (record[:1] == b"\x09" or b"brain.Event" in record[:64])


def event_files(folder: Path) -> list[Path]:
    """Return the event files of a run's folder and of the writers' folders below it, oldest first."""
    found = sorted(path for path in folder.glob("*tfevents*") if path.is_file())
    for path in sorted(folder.glob("*/*tfevents*")):
        name = path.parent.name.lower()
        if path.is_file() and (re.search(r"train|val|eval|test", name) or found):
            found.append(path)
    return sorted(found, key=_started)


def _started(path: Path) -> tuple[int, str]:
    match = re.search(r"tfevents\.(\d+)", path.name)
    return (int(match[1]) if match else 0, str(path))


def records(source: Source) -> Iterator[bytes]:
    """Yield the records of a file; a torn end or a damaged length ends it and sets the source's damage.

    The checksums are not verified: a pure-Python CRC-32C costs more than all the rest, and what a damaged
    record does to the fields is found by reading them.
    """
    with source.open() as stream:
        while True:
            head = stream.read(12)
            if len(head) < 12:
                if head:
                    source.damage = "the last record is cut off"
                return
            (length,) = struct.unpack("<Q", head[:8])
            if length > _LARGEST_RECORD:
                source.damage = f"a record claims {length} bytes; the rest of the file cannot be read"
                return
            record = stream.read(length + 4)
            if len(record) < length + 4:
                source.damage = "the last record is cut off"
                return
            yield record[:length]


def _collect(source: Source, prefix: str, series: dict[str, Series], sink: Sink) -> None:
    for index, record in enumerate(records(source)):
        try:
            for tag, step, value, time in scalars(record):
                series.setdefault(prefix + tag, Series()).add(step, value, time)
        except LogError as error:
            sink.unread(f"{source.path.name}, record {index}", str(error))
    if source.damage:
        sink.unread(source.path.name, source.damage)
        sink.note(f"{source.path.name}: {source.damage}")


def scalars(record: bytes) -> Iterator[tuple[str, int, float, float]]:
    """Yield (tag, step, value, time) of an event's scalar summaries.

    Raises:
        LogError: the record is damaged.
    """
    time, step, summary = 0.0, 0, None
    for number, kind, value in fields(record):
        if number == 1 and kind == FIXED64:
            time = double(value)
        elif number == 2 and kind == VARINT:
            step = signed(value)
        elif number == 5 and kind == BYTES:
            summary = value
    if isinstance(summary, bytes):
        for number, kind, value in fields(summary):
            if number == 1 and kind == BYTES and isinstance(value, bytes):
                tag, scalar = _value(value)
                if tag and scalar is not None:
                    yield tag[:_LARGEST_TAG], step, scalar, time


def _value(message: bytes) -> tuple[str, float | None]:
    tag, scalar = "", None
    for number, kind, value in fields(message):
        if number == 1 and kind == BYTES:
            tag = text(value)
        elif number == 2 and kind == FIXED32:
            scalar = single(value)
        elif number == 8 and kind == BYTES and isinstance(value, bytes):
            scalar = _tensor(value)
    return tag, scalar


def _tensor(message: bytes) -> float | None:
    """Return the value of a tensor with one element; None for any other."""
    dtype, content = 0, None
    for number, kind, value in fields(message):
        if number == 1 and kind == VARINT:
            dtype = signed(value)
        elif number == 2 and kind == BYTES and value not in (b"", None) and _elements(value) > 1:
            return None
        elif number in (4, 5, 6, 7, 10, 13):
            content = (number, kind, value)
    return _element(dtype, content) if content else None


def _elements(shape: int | bytes) -> int:
    count = 1
    for number, kind, value in fields(shape if isinstance(shape, bytes) else b""):
        if number == 2 and kind == BYTES and isinstance(value, bytes):
            for inner, inner_kind, size in fields(value):
                if inner == 1 and inner_kind == VARINT:
                    count *= signed(size)
    return count


def _element(dtype: int, content: tuple[int, int, int | bytes]) -> float | None:
    number, kind, value = content
    layouts = {
        _DTYPE_FLOAT: "<f",
        _DTYPE_DOUBLE: "<d",
        _DTYPE_INT32: "<i",
        _DTYPE_INT64: "<q",
        _DTYPE_HALF: "<e",
    }
    if number == 4 and dtype == _DTYPE_BFLOAT16 and isinstance(value, bytes) and len(value) == 2:
        return single(b"\0\0" + value)
    if kind == VARINT:
        return float(signed(value)) if number in (7, 10) else None
    if not isinstance(value, bytes):
        return None
    if number in (7, 10):
        return float(signed(varint(value, 0)[0])) if value else None
    layout = {5: "<f", 6: "<d"}.get(number) or (layouts.get(dtype) if number == 4 else None)
    if layout is None or len(value) != struct.calcsize(layout):
        return None
    return float(struct.unpack(layout, value)[0])


IMPORTERS = (TensorBoard(),)
