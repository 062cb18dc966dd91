"""Sharing cases: JSON Lines out without anything private; `intake` reads them.

Every line is an object with ``"k"``. The first is ``{"k": "casebase", "schema": 1, …}``, each further one
``{"k": "case", …}`` with the fields of `values.Case`: the columns of the incident, and lists of fixes,
notes, tags, facts, the diagnosis as published, and the evidence window. Unknown fields are ignored.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from . import reading
from .errors import CaseError
from .masking import Mask, masked_host
from .values import Case, Filters, spelled

if TYPE_CHECKING:
    from .library import CaseLibrary

SCHEMA = 1
BATCH = 500


class ExportReport(msgspec.Struct):
    """What an export wrote, or would write."""

    cases: int
    removed: dict[str, list[str]]
    """Kind of private text to every text removed."""
    path: str | None
    """None for a preview."""


class Head(msgspec.Struct, tag_field="k", tag="casebase"):
    """The first line of the file."""

    schema: int
    created: float = 0.0


class Line(Case, tag_field="k", tag="case"):
    """A case as a line of the file."""


def export(library: CaseLibrary, path: Path, filters: Filters, preview: bool) -> ExportReport:
    """Write the cases that pass the filters, private parts replaced; with ``preview`` only tell of them.

    Raises:
        CaseError: the file cannot be written.
    """
    mask = Mask()
    count = 0
    try:
        with ExitStack() as stack:
            write = _discard if preview else stack.enter_context(_replacing(path))
            write(msgspec.json.encode(Head(SCHEMA, time.time())) + b"\n")
            for case in every_case(library, filters):
                write(msgspec.json.encode(Line(**fields_of(masked(case, mask)))) + b"\n")
                count += 1
    except OSError as error:
        raise CaseError(f"{path}: cannot be written ({error.strerror})") from error
    return ExportReport(count, mask.removed, None if preview else str(path))


def _discard(_: bytes) -> int:
    return 0


@contextmanager
def _replacing(path: Path) -> Iterator[Callable[[bytes], int]]:
    """Lend what writes a file that takes the place of the old one once it is whole."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream.write
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def fields_of(case: Case) -> dict[str, Any]:
    """Return the fields of a case, or of a line, by name."""
    return {name: getattr(case, name) for name in Case.__struct_fields__}


def every_case(library: CaseLibrary, filters: Filters) -> Iterator[Case]:
    """Yield every case that passes the filters, oldest first; starter cases only if the source says so."""
    last = 0
    with library.database.reader() as reader:
        while keys := reading.keys_after(reader, filters, filters.source == "starter", last, BATCH):
            last = keys[-1]
            for key in keys:
                yield reading.whole(reader, key)


def masked(case: Case, mask: Mask) -> Case:
    """Return a case without anything private: in texts, in the diagnosis, in names of people and machines."""
    raw = spelled(msgspec.to_builtins(case))
    shared: dict[str, Any] = _masked_value(raw, mask, "")
    clean = msgspec.convert(shared, Case)
    clean.host = masked_host(clean.host)
    # Who did it is nobody's business elsewhere; that somebody did is what counts.
    clean.resolved_by = _person(clean.resolved_by, mask)
    for fix in clean.fixes:
        fix.by = _person(fix.by, mask)
    for note in clean.notes:
        note.by = _person(note.by, mask)
    clean.attachments = []
    return clean


_KEPT = frozenset(
    ("id", "run", "lineage", "reference", "k", "digest", "cause", "fix", "confirmed", "predicted")
)
"""Ids and public addresses: nothing private can be in them, and they must stay what they are."""


def _masked_value(value: Any, mask: Mask, name: str) -> Any:
    if isinstance(value, str):
        return value if name in _KEPT else mask.text(value)
    if isinstance(value, dict):
        return {key: _masked_value(item, mask, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_masked_value(item, mask, name) for item in value]
    return value


def _person(name: str, mask: Mask) -> str:
    if name and not name.startswith("<"):
        found = mask.removed.setdefault("user", [])
        if name not in found:
            found.append(name)
        return "<user>"
    return name
