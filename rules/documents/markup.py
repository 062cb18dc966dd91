"""Reading YAML of others: plain data only, bounded, with the line of every value.

The scalars follow the YAML 1.2 core schema, in which ``1e-5`` is a number and ``no`` is a word. Tags,
anchors and aliases are refused: none is needed, and they are how a small file grows without bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NoReturn, TypeAlias

import yaml

from .problems import DocumentError, Problem

MAX_BYTES = 64 * 1024
MAX_DEPTH = 12
MAX_VALUES = 8_000

Path: TypeAlias = "tuple[str | int, ...]"

# PyYAML without its C library is an order of magnitude slower and reads the same.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]{1,18}"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda text: float(text.replace(".", "", 1))),
)
_BEGINS_NUMBER = frozenset("+-.0123456789")


@dataclass
class Marked:
    """A parsed document.

    Attributes:
        data: dictionaries, lists, texts, numbers, booleans and None.
    """

    file: str
    data: Any
    text: str | bytes = field(repr=False)

    @cached_property
    def lines(self) -> dict[Path, int]:
        """Line of each value by its path, from 1; the text is parsed again for them, as problems are rare."""
        builder = _Builder(self.file, {})
        builder.build(self.text)
        return builder.lines or {}

    def line(self, path: Path) -> int:
        """Return the line of a value, or of the nearest thing around it that exists."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, problem: str, valid: str = "", severity: str = "error") -> Problem:
        """Return a problem placed at a path."""
        return Problem(self.file, self.line(path), spell_path(path), problem, valid, severity)


def spell_path(path: Path) -> str:
    """Return a path as people write it: ``when[1].fact``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def parse(text: str | bytes, file: str = "<text>") -> Marked:
    """Parse one YAML document.

    Raises:
        DocumentError: it is not YAML, is too large or too deep, or uses tags, anchors or aliases.
    """
    size = len(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise DocumentError(
            [Problem(file, None, "", f"{size:,} bytes long", f"valid is up to {MAX_BYTES:,} bytes")]
        )
    try:
        return Marked(file, _built(text, file), text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DocumentError([_not_yaml(file, mark.line + 1 if mark else None, error.problem)]) from None
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        raise DocumentError([_not_yaml(file, None, str(error).replace("\n", " "))]) from None


def _built(text: str | bytes, file: str) -> Any:
    try:
        return _Builder(file).build(text)
    except DocumentError:
        # Once more, with the places that a problem is told by.
        return _Builder(file, {}).build(text)


def _not_yaml(file: str, line: int | None, what: str | None) -> Problem:
    return Problem(file, line, "", f"not YAML: {what or 'unreadable'}", "valid is one YAML mapping in UTF-8")


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet."""

    holder: Any
    """A dictionary or a list."""
    path: Path
    mapping: bool
    key: str | None = None

    def place(self) -> Path:
        """Return the path of the next value."""
        if not self.mapping:
            return (*self.path, len(self.holder))
        return self.path if self.key is None else (*self.path, self.key)


@dataclass
class _Builder:
    file: str
    lines: dict[Path, int] | None = None
    """Filled in where they are wanted: they cost as much as everything else."""
    values: int = 0
    stack: list[_Open] = field(default_factory=list)
    documents: list[Any] = field(default_factory=list)

    def build(self, text: str | bytes) -> Any:
        loader = _LOADER(text)
        try:
            while (event := loader.get_event()) is not None:
                handler = _HANDLERS.get(type(event))
                if handler is not None:
                    handler(self, event)
        finally:
            loader.dispose()
        return self.documents[0] if self.documents else None

    def refuse(self, event: Any, problem: str, valid: str) -> NoReturn:
        where = spell_path(self.stack[-1].place()) if self.stack else ""
        raise DocumentError([Problem(self.file, event.start_mark.line + 1, where, problem, valid)])

    def alias(self, event: Any) -> None:
        self.refuse(event, f"alias *{event.anchor}", "aliases are not allowed; write the value again")

    def scalar(self, event: Any) -> None:
        if event.anchor or event.tag:
            self.check(event)
        top = self.stack[-1] if self.stack else None
        if top is None or top.key is not None or not top.mapping:
            self.put(event, _value(event.value) if event.implicit[0] else event.value, top)
            return
        if event.value in top.holder:
            self.refuse(event, f"key {event.value!r} stands twice", "each key may stand once")
        top.key = event.value

    def open(self, event: Any) -> None:
        if len(self.stack) >= MAX_DEPTH:
            self.refuse(event, f"nested deeper than {MAX_DEPTH} levels", f"valid is up to {MAX_DEPTH} levels")
        self.check(event)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.mapping and top.key is None:
            self.refuse(event, "a key that is a mapping or a list", "keys are texts")
        mapping = isinstance(event, yaml.MappingStartEvent)
        holder: Any = {} if mapping else []
        path = top.place() if top and self.lines is not None else ()
        self.put(event, holder, top)
        self.stack.append(_Open(holder, path, mapping))

    def close(self, _event: Any) -> None:
        self.stack.pop()

    def check(self, event: Any) -> None:
        if event.anchor:
            self.refuse(event, f"anchor &{event.anchor}", "anchors are not allowed")
        if event.tag and event.tag != "!":
            self.refuse(event, f"tag {event.tag}", "tags are not allowed; values are plain data")

    def put(self, event: Any, value: Any, top: _Open | None) -> None:
        """Store a value in what is open, and its line."""
        if self.lines is not None:
            self.lines[top.place() if top else ()] = event.start_mark.line + 1
        if top is None:
            if self.documents:
                self.refuse(event, "a second document", "one document a file")
            self.documents.append(value)
            return
        self.values += 1
        if self.values >= MAX_VALUES:
            self.refuse(event, f"more than {MAX_VALUES:,} values", f"valid is up to {MAX_VALUES:,}")
        if top.mapping:
            top.holder[top.key] = value
            top.key = None
        else:
            top.holder.append(value)


_HANDLERS: dict[type, Any] = {
    yaml.AliasEvent: _Builder.alias,
    yaml.ScalarEvent: _Builder.scalar,
    yaml.MappingStartEvent: _Builder.open,
    yaml.SequenceStartEvent: _Builder.open,
    yaml.MappingEndEvent: _Builder.close,
    yaml.SequenceEndEvent: _Builder.close,
}


def _value(text: str) -> str | int | float | bool | None:
    """Return what a scalar without quotes stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _BEGINS_NUMBER:
        return text
    for pattern, convert in _NUMBERS:
        if pattern.fullmatch(text):
            return convert(text)
    return text
