"""Weights & Biases: the .wandb file of an offline (or any local) run."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from ..jsonlines import columns_of, flattened
from ..rows import Rows
from ..sink import Sink
from ..source import LogError, Sample, Source
from ..wire import BYTES, FIXED64, VARINT, double, fields, signed, text

_BLOCK = 32768
_MAGIC = b":W&B"
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_LARGEST = 1 << 26
_SAMPLED = 2000
_HISTORY, _CONFIG, _RUN = 2, 5, 17


class WandbOffline:
    """Weights & Biases ``run-ID.wandb`` of an offline run, or its folder.

    Recognised by the ``:W&B`` signature. The history's keys are named like columns, nested ones by their
    path; the configuration becomes settings. The package has no Python reader of this file any more, so
    its log framing and the few fields are read here.
    """

    name: ClassVar[str] = "wandb-offline"
    example: ClassVar[str] = ""

    def sniff(self, sample: Sample) -> float:
        """Tell by the signature."""
        if sample.path.is_dir():
            return 0.97 if _file_of(sample.path) else 0.0
        return 0.97 if sample.head.startswith(_MAGIC) else 0.0

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read the history into a sink."""
        path = _file_of(source.path) if source.path.is_dir() else source.path
        file = Source(path or source.path, source.label)
        rows: Rows | None = None
        waiting: list[dict[str, Any]] = []
        for row in _history(file, sink):
            if rows is None:
                waiting.append(row)
                if len(waiting) >= _SAMPLED:
                    rows, waiting = _begin(waiting, sink, mapping), []
            else:
                _feed(rows, row, sink)
        rows = rows or _begin(waiting, sink, mapping)
        if file.damage:
            sink.unread(file.path.name, file.damage)
            sink.note(file.damage)
        rows.finish()


def _begin(waiting: list[dict[str, Any]], sink: Sink, mapping: Mapping[str, str]) -> Rows:
    rows = Rows(sink, mapping, columns_of(waiting))
    for row in waiting:
        _feed(rows, row, sink)
    return rows


def _feed(rows: Rows, row: dict[str, Any], sink: Sink) -> None:
    if not rows.feed(row, f"step {row.get('_step')}"):
        sink.unread(f"step {row.get('_step')}", str(row)[:200])


def _file_of(folder: Path) -> Path | None:
    found = sorted(folder.glob("*.wandb"))
    return found[0] if found else None


def _history(source: Source, sink: Sink) -> Iterator[dict[str, Any]]:
    for index, record in enumerate(records(source)):
        try:
            for number, kind, value in fields(record):
                if kind != BYTES or not isinstance(value, bytes):
                    continue
                if number == _HISTORY:
                    yield _row(value)
                elif number in (_CONFIG, _RUN):
                    _settings(value, number, sink)
        except LogError as error:
            sink.unread(f"record {index}", str(error))


def _row(message: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {}
    step: int | None = None
    for number, kind, value in fields(message):
        if number == 1 and isinstance(value, bytes):
            key, item = _item(value)
            row[key] = item
        elif number == 2 and kind == BYTES and isinstance(value, bytes):
            step = next((signed(inner) for field, _, inner in fields(value) if field == 1), 0)
    row = flattened(row)
    row["timestamp"] = row.pop("_timestamp", None)
    row.pop("_runtime", None)
    if step is not None:
        row.setdefault("_step", step)
    return row


def _item(message: bytes) -> tuple[str, Any]:
    keys: list[str] = []
    item: Any = None
    for number, kind, value in fields(message):
        if number in (1, 2) and kind == BYTES:
            keys.append(text(value))
        elif number == 5 and kind == VARINT:
            item = signed(value)
        elif number == 6 and kind == FIXED64:
            item = double(value)
        elif number == 7 and kind == BYTES:
            item = text(value)
        elif number in (8, 16) and kind == BYTES:
            item = _json(text(value))
    return "/".join(key for key in keys if key), item


def _json(content: str) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _settings(message: bytes, kind: int, sink: Sink) -> None:
    for number, _, value in fields(message):
        if not isinstance(value, bytes):
            continue
        if kind == _RUN and number == 4:
            _settings(value, _CONFIG, sink)
        elif kind == _CONFIG and number == 1:
            key, item = _item(value)
            if not key.startswith("_") and isinstance(item, str | int | float):
                sink.setting(key, item)


def records(source: Source) -> Iterator[bytes]:
    """Yield the records of the log-structured file: chunks of 32 KiB blocks, pieces put together.

    What is damaged is left out and told in the source's ``damage``.
    """
    with source.open() as stream:
        block = stream.read(_BLOCK)
        at, partial = 7, b""
        while block:
            while at + 7 <= len(block):
                length, kind = struct.unpack("<HB", block[at + 4 : at + 7])
                piece = block[at + 7 : at + 7 + length]
                at += 7 + length
                if kind == 0 and length == 0:
                    break
                if kind > _LAST or len(piece) < length:
                    source.damage = "the file is damaged or was cut off while it was written"
                    break
                partial = piece if kind in (_FULL, _FIRST) else partial + piece
                if kind in (_FULL, _LAST):
                    yield partial
                    partial = b""
                elif len(partial) > _LARGEST:
                    partial = b""
            block, at = stream.read(_BLOCK), 0


IMPORTERS = (WandbOffline(),)
