"""Sharing cases: JSON Lines out without anything private, JSON Lines in, and two libraries into one.

Every line is an object with ``"k"``. The first is ``{"k": "casebase", "schema": 1, …}``, each further one
``{"k": "case", …}`` with the fields of `values.Case`: the columns of the incident, and lists of fixes,
notes, tags, facts, the diagnosis as published, and the evidence window. Unknown fields are ignored.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from . import reading
from .checks import check_cause, check_fixes
from .errors import CaseError
from .fingerprint import Fingerprint, of_diagnosis, of_facts
from .masking import Mask, masked_host
from .values import Case, Filters, spelled

if TYPE_CHECKING:
    from .library import CaseLibrary

SCHEMA = 1
MOST_LINE = 2 << 20
"""Bytes of one case."""
MOST_FILE = 4 << 30
MOST_DEPTH = 16
MOST_TEXT = 200_000
"""Characters of one text."""
_BATCH = 500


class ExportReport(msgspec.Struct):
    """What an export wrote, or would write."""

    cases: int
    removed: dict[str, list[str]]
    """Kind of private text to every text removed."""
    path: str | None
    """None for a preview."""


class ImportReport(msgspec.Struct):
    """What an import or a merge brought."""

    added: int
    """Cases that were not known."""
    joined: int
    """Cases that were known and got something new: a resolution, fixes, notes, tags."""
    unchanged: int


class _Head(msgspec.Struct, tag_field="k", tag="casebase"):
    schema: int
    created: float = 0.0


class _Line(Case, tag_field="k", tag="case"):
    """A case as a line of the file."""


_DECODER = msgspec.json.Decoder(_Head | _Line)


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
            write(msgspec.json.encode(_Head(SCHEMA, time.time())) + b"\n")
            for case in every_case(library, filters):
                write(msgspec.json.encode(_Line(**_fields(masked(case, mask)))) + b"\n")
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


def _fields(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in Case.__struct_fields__}


def every_case(library: CaseLibrary, filters: Filters) -> Iterator[Case]:
    """Yield every case that passes the filters, oldest first; starter cases only if the source says so."""
    last = 0
    with library.database.reader() as reader:
        while keys := reading.keys_after(reader, filters, filters.source == "starter", last, _BATCH):
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


def import_file(library: CaseLibrary, path: Path) -> ImportReport:
    """Read an exported file into the library.

    Raises:
        CaseError: the file is missing, too large, or a line is not a case; nothing of a bad file is kept.
    """
    # Read twice: every line is checked before the first is written.
    for _ in read_cases(path):
        pass
    return take_over(library, read_cases(path))


def read_cases(path: Path) -> Iterator[Case]:
    """Yield the cases of a file.

    Raises:
        CaseError: the file is missing, too large or of a later schema, or a line is not a case.
    """
    try:
        size = path.stat().st_size
        if size > MOST_FILE:
            raise CaseError(f"{path}: {size:,} bytes; valid is up to {MOST_FILE:,}")
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(MOST_LINE + 1):
                number += 1
                case = _read_line(line, f"{path}:{number}", number)
                if case is not None:
                    yield case
    except OSError as error:
        raise CaseError(f"{path}: cannot be read ({error.strerror})") from error


def _read_line(line: bytes, place: str, number: int) -> Case | None:
    if len(line) > MOST_LINE:
        raise CaseError(f"{place}: longer than {MOST_LINE:,} bytes, the most that a case may take")
    if not line.strip():
        return None
    if _depth(line) > MOST_DEPTH:
        raise CaseError(f"{place}: nested deeper than {MOST_DEPTH} levels, the most that a case may be")
    try:
        found = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CaseError(f"{place}: not a line of a case export ({error})") from error
    if isinstance(found, _Head):
        if found.schema > SCHEMA:
            raise CaseError(f"{place}: schema {found.schema} is newer than {SCHEMA}; upgrade spikelore")
        return None
    if number == 1:
        raise CaseError(f'{place}: the first line must be the header {{"k": "casebase", "schema": {SCHEMA}}}')
    return _checked(Case(**_fields(found)), place)


def _depth(line: bytes) -> int:
    """Return how deep brackets nest; those within texts count too, which errs on the safe side."""
    depth = most = 0
    for byte in line:
        if byte in b"[{":
            depth += 1
            most = max(most, depth)
        elif byte in b"]}":
            depth -= 1
    return most


def _checked(case: Case, place: str) -> Case:
    """Demand what the types do not: an id, known outcomes, texts of a sane length.

    Raises:
        CaseError: the case lacks it.
    """
    if not case.id or len(case.id) > 200 or any(character.isspace() for character in case.id):
        raise CaseError(f"{place}: id {case.id[:40]!r} is none; valid is a text without spaces")
    try:
        check_fixes(case.fixes)
        if case.confirmed:
            check_cause(case.confirmed)
    except CaseError as error:
        raise CaseError(f"{place}: {error}") from error
    texts = [case.title, case.summary, case.title_zh, case.summary_zh, *(note.text for note in case.notes)]
    if any(len(text) > MOST_TEXT for text in texts):
        raise CaseError(f"{place}: a text is longer than {MOST_TEXT:,} characters, the most that is kept")
    return case


def merge(library: CaseLibrary, other_url: str) -> ImportReport:
    """Take over everything that another library holds and this one does not.

    Raises:
        CaseError: the other library cannot be reached, or is this one.
    """
    from .library import CaseLibrary

    with CaseLibrary.open(other_url, starter=False) as other:
        if other.database.url == library.database.url:
            raise CaseError(f"case library {other.database.place}: cannot be merged into itself")
        return take_over(library, every_case(other, Filters()))


def take_over(library: CaseLibrary, cases: Iterable[Case]) -> ImportReport:
    """Add cases that are new and join those that are known, by content id."""
    report = ImportReport(0, 0, 0)
    stream = iter(cases)
    while batch := list(islice(stream, _BATCH)):
        with library.database.session() as session:
            from .joining import join

            added = library.store.add(session, batch, [_print_of(case) for case in batch])
            known = [case for case in batch if case.id not in set(added)]
            joined = sum(join(library, session, case) for case in known)
            report.added += len(added)
            report.joined += joined
            report.unchanged += len(known) - joined
    return report


def _print_of(case: Case) -> Fingerprint:
    if case.diagnosis is None:
        return of_facts(case.facts)
    found = of_diagnosis(case.diagnosis)
    return Fingerprint({**case.facts, **found.facts}, found.fired, found.shape, found.causes)
