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

# PyYAML without its C library is an order of magnitude slower and reads the same. Of the loaders only the
# parser is used: what a scalar means is decided here.
_LOADER: Any = getattr(getattr(yaml, "cyaml", None), "CParser", yaml.SafeLoader)

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


@dataclass
class _Builder:
    """Builds the values of one text."""

    file: str
    lines: dict[Path, int] | None = None
    """Filled in where they are wanted: they cost as much as everything else."""
    around: list[tuple[Any, str | int | None]] = field(default_factory=list)
    """The mappings and lists around the innermost open one, each with the place of that one in it."""
    holder: Any = None
    """The innermost open mapping or list."""
    key: str | None = None
    """The key in it that waits for its value."""
    values: int = 0
    documents: list[Any] = field(default_factory=list)

    def build(self, text: str | bytes) -> Any:
        loader = _LOADER(text)
        try:
            self._take(loader.get_event)
        finally:
            loader.dispose()
        return self.documents[0] if self.documents else None

    def _take(self, get_event: Callable[[], Any]) -> None:
        plain, scalar, handlers = self.lines is None, yaml.ScalarEvent, _HANDLERS
        while (event := get_event()) is not None:
            if type(event) is not scalar:
                handler = handlers.get(type(event))
                if handler is not None:
                    handler(self, event)
                continue
            if event.anchor or event.tag:
                self.check(event)
            key = self.key
            if key is None and type(self.holder) is dict:
                if event.value in self.holder:
                    self.refuse(event, f"key {event.value!r} stands twice", "each key may stand once")
                self.key = event.value
                continue
            value = _value(event.value) if event.implicit[0] else event.value
            if plain and key is not None:
                # By far the most common, and run a hundred times for each of the thousands of rules.
                self.holder[key] = value
                self.key = None
                self.values += 1
            else:
                self.put(event, value)

    def put(self, event: Any, value: Any) -> str | int | None:
        """Store a value in what is open, and its line; return its place in there."""
        if self.lines is not None:
            self.lines[self.path()] = event.start_mark.line + 1
        self.values += 1
        self.count(event)
        part = self.part()
        if part is None:
            if self.documents:
                self.refuse(event, "a second document", "one document a file")
            self.documents.append(value)
        elif self.key is not None:
            self.holder[self.key] = value
            self.key = None
        else:
            self.holder.append(value)
        return part

    def open(self, event: Any) -> None:
        if len(self.around) >= MAX_DEPTH:
            self.refuse(event, f"nested deeper than {MAX_DEPTH} levels", f"valid is up to {MAX_DEPTH} levels")
        self.check(event)
        if self.key is None and type(self.holder) is dict:
            self.refuse(event, "a key that is a mapping or a list", "keys are texts")
        value: Any = {} if type(event) is yaml.MappingStartEvent else []
        self.around.append((self.holder, self.put(event, value)))
        self.holder = value

    def close(self, event: Any) -> None:
        self.count(event)
        self.holder, _ = self.around.pop()

    def alias(self, event: Any) -> None:
        self.refuse(event, f"alias *{event.anchor}", "aliases are not allowed; write the value again")

    def check(self, event: Any) -> None:
        if event.anchor:
            self.refuse(event, f"anchor &{event.anchor}", "anchors are not allowed")
        if event.tag and event.tag != "!":
            self.refuse(event, f"tag {event.tag}", "tags are not allowed; values are plain data")

    def count(self, event: Any) -> None:
        if self.values > MAX_VALUES:
            self.refuse(event, f"more than {MAX_VALUES:,} values", f"valid is up to {MAX_VALUES:,}")

    def part(self) -> str | int | None:
        """Return the place of the next value in what is open; None where nothing is, or a key comes."""
        return len(self.holder) if isinstance(self.holder, list) else self.key

    def path(self) -> Path:
        """Return the path of the next value."""
        parts = (*(part for _, part in self.around), self.part())
        return tuple(part for part in parts if part is not None)

    def refuse(self, event: Any, problem: str, valid: str) -> NoReturn:
        line = event.start_mark.line + 1
        raise DocumentError([Problem(self.file, line, spell_path(self.path()), problem, valid)])


_HANDLERS: dict[type, Any] = {
    yaml.AliasEvent: _Builder.alias,
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
