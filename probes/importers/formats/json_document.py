"""One JSON document: a list of rows, or a list for each quantity."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from ..jsonlines import columns_of, flattened
from ..names import guess, split_words
from ..rows import Rows
from ..sink import Sink
from ..source import HEAD, LogError, Sample, Source
from ..vocabulary import TRAINING, VALIDATION

_LIMIT = 1 << 29
_ROWS = re.compile(r"\[\s*\{\s*\"")
_SCALARS = re.compile(r"\[\s*\[\s*\d{9,}\.")
_LIST = re.compile(r"\"[^\"]{0,80}loss[^\"]{0,80}\"\s*:\s*\[", re.IGNORECASE)
_DEEPEST = 4
_SPLITS = TRAINING | VALIDATION


class JsonDocument:
    """JSON documents: histories as a list of rows, Keras ``History`` as lists, TensorBoard's scalars.

    Recognised by a list of objects or an object of lists that names a loss, at the top or below one of a few
    keys. The loss is chosen by name as in any table.
    """

    name: ClassVar[str] = "json"
    example: ClassVar[str] = '[{"_step": 0, "loss": 2.1}, {"_step": 1, "loss": 1.9}]\n'

    def sniff(self, sample: Sample) -> float:
        """Return a score below that of the formats with keys of their own."""
        if sample.path.is_dir() or sample.is_binary:
            return 0.0
        text = sample.text.strip()
        if text[:1] not in ("[", "{") or not ("loss" in text.lower() or _SCALARS.match(text)):
            return 0.0
        if len(sample.head) < HEAD:
            return 0.6 if find_rows(_parsed(text)) is not None else 0.0
        lines = [*sample.lines[:2], "", ""]
        one_a_line = lines[0].rstrip().endswith("}") and lines[1].lstrip()[:1] == "{"
        rows = _ROWS.match(text) or _SCALARS.match(text) or (text[0] == "{" and _LIST.search(text))
        return 0.6 if rows and not one_a_line else 0.0

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read the document into a sink.

        Raises:
            LogError: it is no JSON, or holds no rows.
        """
        history = find_rows(parse_document(source, _LIMIT))
        if history is None:
            raise LogError(
                f"{source.label}: no list of rows with a loss; valid is [{{...}}, ...] or {{name:"
                f" [...], ...}}"
            )
        rows = Rows(sink, mapping, columns_of(history))
        for index, row in enumerate(history):
            if not rows.feed(row, f"row {index}"):
                sink.unread(f"row {index}", str(row)[:200])
        rows.finish()


def parse_document(source: Source, limit: int) -> Any:
    """Return a JSON document; NaN and Infinity are read as Python writes them.

    Raises:
        LogError: it is no JSON.
    """
    text = source.text(limit)
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return json.loads(text)
    except RecursionError:
        raise LogError(f"{source.label}: JSON nested too deeply to be a log") from None
    except ValueError as error:
        raise LogError(f"{source.label}: not valid JSON ({error}); is the file cut off?") from None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def find_rows(document: Any, depth: int = 0) -> list[dict[str, Any]] | None:
    """Return the rows of a document; None where there are none that name a loss."""
    if isinstance(document, list):
        if len(document) > 1 and all(_is_scalar(row) for row in document[:99]):
            return [
                {"timestamp": row[0], "step": row[1], "loss": row[2]} for row in document if _is_scalar(row)
            ]
        rows = [flattened(row) for row in document if isinstance(row, dict)]
        return rows if _names_loss(columns_of(rows)) else None
    if not isinstance(document, dict) or depth > _DEEPEST:
        return None
    columns = _columns(document)
    if any(isinstance(document[key], dict) and set(split_words(str(key))) & _SPLITS for key in document):
        columns = _columns(document, deepest=_DEEPEST)
    if _names_loss(tuple(columns)):
        return _by_column(columns)
    for value in document.values():
        found = find_rows(value, depth + 1) if isinstance(value, list | dict) else None
        if found is not None:
            return found
    return None


def _columns(document: Mapping[str, Any], prefix: str = "", deepest: int = 0) -> dict[str, list[Any]]:
    """Return the lists of plain values in an object, nested ones by their path (``val/loss``)."""
    columns: dict[str, list[Any]] = {}
    for key, value in document.items():
        if isinstance(value, dict) and deepest > 0:
            columns.update(_columns(value, f"{prefix}{key}/", deepest - 1))
        elif isinstance(value, list) and value and not isinstance(value[0], dict | list):
            columns[f"{prefix}{key}"] = value
    return columns


def _is_scalar(row: Any) -> bool:
    """Tell TensorBoard's ``[wall time, step, value]``."""
    return isinstance(row, list) and len(row) == 3 and isinstance(row[1], int) and isinstance(row[0], float)


def _names_loss(columns: tuple[str, ...]) -> bool:
    return any(guess(column).kind == "loss" for column in columns)


def _by_column(columns: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """Turn lists by name into rows; a list that is shorter ends early."""
    longest = max(len(values) for values in columns.values())
    has_counter = any(guess(name).kind in ("step", "epoch") for name in columns)
    rows = [{name: values[i] for name, values in columns.items() if i < len(values)} for i in range(longest)]
    return rows if has_counter else [{"epoch": i, **row} for i, row in enumerate(rows)]


IMPORTERS = (JsonDocument(),)
