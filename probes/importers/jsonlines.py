"""JSON, one object a line, whatever stands before it; NaN and Infinity are read as Python writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import msgspec

from .figures import number
from .names import guess
from .remarks import remark
from .rows import Rows
from .sink import Sink
from .source import Sample, Source

_SAMPLED = 1500
_DEEPEST = 4
_OF_TOTAL = re.compile(r"^\d{1,15}/\d{1,15}$")
_DECODER = msgspec.json.Decoder()


def parse_object(line: str) -> dict[str, Any] | None:
    """Return the JSON object that a line ends with; None where there is none."""
    start = line.find("{")
    if start < 0:
        return None
    if start and line[start - 1] in "([":
        return None
    text = line[start:] if start else line
    try:
        found = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError):
        found = _python_json(text)
    return found if type(found) is dict else None


def _python_json(text: str) -> Any:
    text = text.rstrip().rstrip(",;")
    if not text.endswith("}"):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def flattened(row: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Return a row whose nested objects are named by their path; lists are left out."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        kind = type(value)
        if kind is dict:
            if depth < _DEEPEST:
                flat.update(flattened(value, f"{prefix}{key}/", depth + 1))
        elif kind is str and "/" in key and _OF_TOTAL.match(value):
            # {"global_step/max_steps": "10/500"}
            flat[f"{prefix}{key.partition('/')[0]}"] = int(value.partition("/")[0])
        elif kind is not list and kind is not bool:
            flat[f"{prefix}{key}"] = value
    return flat


def is_flat(row: Mapping[str, Any]) -> bool:
    """Tell whether a row needs no flattening."""
    return not any(type(v) in (dict, list, bool) or (type(v) is str and "/" in v) for v in row.values())


def objects_of(sample: Sample) -> list[dict[str, Any]]:
    """Return the objects in a sample's lines; none where most lines hold none."""
    if sample.objects is None:
        lines = sample.lines[:_SAMPLED]
        found = [parse_object(line) for line in lines if "{" in line]
        sample.objects = [flattened(row) for row in found if row]
        if len(sample.objects) * 10 < len(lines) and len(sample.objects) < 20:
            sample.objects = []
    return sample.objects


def columns_of(objects: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return every key, in the order first seen."""
    return tuple(dict.fromkeys(key for row in objects for key in row))


class JsonLinesFormat:
    """Base of the formats with one object a line: a subclass says which keys are its own."""

    name: ClassVar[str] = ""
    example: ClassVar[str] = ""
    weight: ClassVar[float] = 0.9

    def fits(self, keys: frozenset[str]) -> bool:
        """Tell whether the keys of a sample are of this format."""
        raise NotImplementedError

    def row(self, found: dict[str, Any]) -> dict[str, Any] | None:
        """Return a row under the names that are understood; None where it is no point of a curve."""
        return found

    def sniff(self, sample: Sample) -> float:
        """Return ``weight`` where the keys fit and name a loss."""
        if sample.path.is_dir() or sample.is_binary:
            return 0.0
        objects = objects_of(sample)
        keys = columns_of(objects)
        if not keys or not self.fits(frozenset(keys)):
            return 0.0
        losses = [key for key in keys if guess(key).kind == "loss"]
        return (
            self.weight if any(number(row.get(key)) is not None for row in objects for key in losses) else 0.0
        )

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read the objects into a sink, line by line."""
        known = [self.row(dict(row)) for row in objects_of(Sample(source.path, source.label))]
        rows = Rows(sink, mapping, columns_of(row for row in known if row))
        alike = type(self).row is JsonLinesFormat.row
        for block in source.line_blocks():
            if alike and _feed_alike(rows, block):
                source.line += len(block)
                continue
            for line in source.counted(block):
                if line and not line.isspace():
                    self._line(line, rows, source)
        rows.finish()

    def _line(self, line: str, rows: Rows, source: Source) -> None:
        found = parse_object(line)
        if found is None:
            if not remark(line, rows.sink):
                rows.sink.unread(source.line, line)
            return
        row = self.row(found if is_flat(found) else flattened(found))
        if row is not None and not rows.feed_values(tuple(row), tuple(row.values()), source.line):
            self.without_loss(line, source, rows.sink)

    def without_loss(self, line: str, source: Source, sink: Sink) -> None:
        """Take an object that held nothing of a curve."""
        sink.unread(source.line, line)


def _feed_alike(rows: Rows, block: list[str]) -> bool:
    """Feed lines that are objects of the same plain keys; return False, with nothing fed, if not."""
    try:
        found = [_DECODER.decode(line) for line in block]
        if any(type(row) is not dict or len(row) != len(found[0]) for row in found):
            return False
        names = tuple(found[0])
        if not is_flat(found[0]):
            return False
        return rows.feed_block(names, [[row[name] for name in names] for row in found])
    except (msgspec.DecodeError, RecursionError, KeyError, TypeError):
        return False
