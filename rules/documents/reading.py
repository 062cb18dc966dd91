"""From YAML to a document, or to problems that name the line, the field and what is valid."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from . import markup
from .fields import CAUSE_ID, FAMILIES, FIX_ID, PATTERN_ID, RULE_ID, SYMPTOM_ID, Document
from .markup import MAX_BYTES, Marked
from .problems import DocumentError, Problem, suggest

D = TypeVar("D", bound=Document)

_VALID = {
    "string_too_short": "valid is at least {min_length} characters",
    "string_too_long": "valid is up to {max_length} characters",
    "too_short": "valid is at least {min_length}",
    "too_long": "valid is up to {max_length}",
    "greater_than": "valid is above {gt}",
    "greater_than_equal": "valid is {ge} and above",
    "less_than_equal": "valid is up to {le}",
    "literal_error": "valid: {expected}",
    "string_pattern_mismatch": "valid is {pattern}",
}
_SAID = {
    "missing": "is missing",
    "string_type": "must be a text",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "model_type": "must be a mapping",
    "literal_error": "is {input}",
    "string_pattern_mismatch": "is {input}",
    "string_too_short": "is empty or too short",
    **dict.fromkeys(("greater_than", "greater_than_equal", "less_than_equal"), "is {input}"),
}
_IDS = {
    RULE_ID: "lower case words with hyphens, such as grad-norm-explodes",
    CAUSE_ID: f"a family ({', '.join(FAMILIES)}), a dot and lower case words with hyphens",
    SYMPTOM_ID: "symptom. and lower case words with hyphens, such as symptom.bad-batch",
    PATTERN_ID: "pattern. and lower case words with hyphens, such as pattern.noise",
    FIX_ID: "fix. and lower case words with hyphens, such as fix.clip-gradients",
}


def read_text(path: Path | str) -> bytes:
    """Return a file's content.

    Raises:
        DocumentError: it cannot be read, is no regular file, or is too large.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise DocumentError([Problem(str(path), None, "", "not a regular file")])
        if status.st_size > MAX_BYTES:
            size, most = f"{status.st_size:,}", f"{MAX_BYTES:,}"
            raise DocumentError(
                [Problem(str(path), None, "", f"{size} bytes long", f"valid is up to {most}")]
            )
        handle = os.open(path, os.O_RDONLY)
        try:
            # Plain calls: an object for each of thousands of files costs more than the reading.
            return os.read(handle, MAX_BYTES + 1)
        finally:
            os.close(handle)
    except OSError as error:
        raise DocumentError([Problem(str(path), None, "", error.strerror or str(error))]) from error


def to_document(marked: Marked, kind: type[D]) -> D:
    """Return the document that parsed YAML stands for.

    Raises:
        DocumentError: it is not a document of this kind; every problem found is in it.
    """
    if not isinstance(marked.data, dict):
        fields = ", ".join(name for name, f in kind.model_fields.items() if f.is_required())
        raise DocumentError([marked.problem((), "not a mapping", f"needed: {fields}")])
    try:
        return kind.model_validate(marked.data)
    except ValidationError as error:
        raise DocumentError(list(_problems(error, marked, kind))) from None


def from_yaml(text: str | bytes, kind: type[D], file: str = "<text>") -> D:
    """Parse and check one document; raises like `to_document` and `markup.parse`."""
    return to_document(markup.parse(text, file), kind)


def _problems(error: ValidationError, marked: Marked, kind: type[Document]) -> Iterator[Problem]:
    seen: set[tuple[markup.Path, str]] = set()
    for detail in error.errors(include_url=False):
        path = _existing(detail["loc"], marked)
        if detail["type"] in {"missing", "extra_forbidden"}:
            path = (*path, detail["loc"][-1]) if path != tuple(detail["loc"]) else path
        text, valid = _words(detail, path, kind)
        # The branches of a union each complain about one value; the first says enough.
        if (path, text) not in seen and not any(path == p for p, _ in seen):
            yield marked.problem(path, text, valid)
        seen.add((path, text))


def _existing(loc: tuple[int | str, ...], marked: Marked) -> markup.Path:
    """Return the part of a location that is in the file; pydantic adds names of its own."""
    path: markup.Path = ()
    for part in loc:
        if (*path, part) in marked.lines:
            path = (*path, part)
    return path


def _words(detail: ErrorDetails, path: markup.Path, kind: type[Document]) -> tuple[str, str]:
    name, context = detail["type"], detail.get("ctx", {})
    if name == "extra_forbidden":
        return "unknown field", suggest(str(detail["loc"][-1]), fields_at(kind, path[:-1]))
    if "pattern" in context:
        context = {**context, "pattern": _IDS.get(context["pattern"], context["pattern"])}
    shown = {**context, "input": repr(detail.get("input"))[:80]}
    text = _SAID.get(name, "").format_map(shown) or detail["msg"].removeprefix("Value error, ")
    return text, _VALID.get(name, "").format_map(shown)


def fields_at(kind: type[BaseModel], path: markup.Path) -> list[str]:
    """Return the field names that a document knows at a path."""
    model: type[BaseModel] | None = kind
    for part in path:
        if model is None:
            return []
        if isinstance(part, str):
            field = next((f for n, f in model.model_fields.items() if part in (n, f.alias)), None)
            model = _model_in(field.annotation) if field else None
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for m in map(_model_in, get_args(annotation)) if m is not None), None)
