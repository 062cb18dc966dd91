"""The evidence schema: five kinds of record, one JSON object a line.

A non-finite number is evidence, so it is kept: JSON has no notation for it, and it travels as one of
the strings ``"nan"``, ``"inf"`` and ``"-inf"``, in values of records only.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeAlias

import msgspec

SCHEMA_VERSION = 1
"""Raised when a record changes in a way that an older reader would misunderstand."""

Scalar: TypeAlias = float | int | str | None
Value: TypeAlias = float | int | str | list[Scalar] | None

_TO_TEXT = {math.inf: "inf", -math.inf: "-inf"}
_TO_NUMBER = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class EvidenceError(Exception):
    """Evidence that cannot be read; the message names the place, the problem and what is valid."""


class Header(msgspec.Struct, tag_field="k", tag="header", omit_defaults=True):
    """First line of every evidence file."""

    schema: int
    run: str
    rank: int = 0
    world: int = 1
    local_rank: int = 0
    pid: int = 0
    time: float = 0.0
    """Unix time in seconds."""


class Step(msgspec.Struct, tag_field="k", tag="step", omit_defaults=True):
    """What the sensors saw in one optimizer step."""

    step: int
    """Optimizer steps since recording began, from 0; a process that follows another goes on counting."""
    time: float = 0.0
    epoch: float | None = None
    """Epochs done when the step began, plus the running share: 20.5 is half way through epoch 21."""
    batch: int | None = None
    """Index of the step's last batch within its epoch, from 0."""
    v: dict[str, Value] = {}


class Eval(msgspec.Struct, tag_field="k", tag="eval", omit_defaults=True):
    """One pass over validation data, placed after ``step`` optimizer steps."""

    step: int
    time: float = 0.0
    epoch: float | None = None
    v: dict[str, Value] = {}


class Gauge(msgspec.Struct, tag_field="k", tag="gauge", omit_defaults=True):
    """State of the host or a GPU, sampled by time."""

    step: int
    time: float = 0.0
    v: dict[str, Value] = {}


class Event(msgspec.Struct, tag_field="k", tag="event", omit_defaults=True):
    """Something that happened once: a checkpoint, a changed setting, a lost probe."""

    name: str
    step: int
    time: float = 0.0
    data: dict[str, Any] = {}


Record: TypeAlias = Header | Step | Eval | Gauge | Event


class Field(msgspec.Struct, frozen=True):
    """One row of the evidence table."""

    name: str
    """Name in a record's ``v``, or of an event; ``loss/{module}`` stands for one name per module."""
    unit: str
    shape: str
    """``scalar``, ``text``, ``list[n]`` or, for an event, the keys of its data."""
    when: Literal["step", "sampled", "eval", "gauge", "event"]
    """``sampled`` means on some steps only, as the overhead budget allows."""
    doc: str
    cost: str = ""


_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def encode(record: Record) -> bytes:
    """Return the record as one line, line feed included.

    Raises:
        EvidenceError: a value is of a type that JSON cannot carry.
    """
    if isinstance(record, Event):
        record.data = _spell(record.data)
    elif not isinstance(record, Header):
        values = record.v
        for name, value in values.items():
            # Differences of a finite number with itself are zero; the test is cheaper than isfinite.
            if (type(value) is float and value - value != 0.0) or type(value) is list:
                values[name] = _spell(value)
    try:
        return _ENCODER.encode(record) + b"\n"
    except (TypeError, OverflowError) as error:
        raise EvidenceError(f"evidence record {type(record).__name__}: {error}") from error


def decode(line: bytes | str) -> Record:
    """Read one line.

    Raises:
        EvidenceError: the line is torn or is not a record.
    """
    try:
        record = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"evidence line {line[:60]!r}: {error}") from error
    return revive(record)


def decode_lines(block: bytes) -> list[Record]:
    """Read a block of whole lines in one go; like `decode` for each.

    Raises:
        EvidenceError: any line of the block is torn or is not a record.
    """
    try:
        records = _DECODER.decode_lines(block)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"evidence block of {len(block)} bytes: {error}") from error
    return [revive(record) for record in records]


def revive(record: Record) -> Record:
    """Turn the spelled non-finite numbers of a fresh record back into floats, in place."""
    if isinstance(record, Event):
        record.data = _unspell(record.data)
    elif not isinstance(record, Header):
        for name, value in record.v.items():
            kind = type(value)
            if kind is str or kind is list:
                record.v[name] = _unspell(value)
    return record


def _spell(value: Any) -> Any:
    if type(value) is float:
        if value - value == 0.0:
            return value
        return _TO_TEXT.get(value, "nan")
    if isinstance(value, dict):
        return {key: _spell(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spell(item) for item in value]
    return value


def _unspell(value: Any) -> Any:
    if type(value) is str:
        return _TO_NUMBER.get(value, value)
    if isinstance(value, dict):
        return {key: _unspell(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unspell(item) for item in value]
    return value
