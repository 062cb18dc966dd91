"""Taking cases in: from a file that `exchange` wrote, and from another library."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from .checks import check_cause, check_fixes
from .curves import shape_of_case
from .errors import CaseError
from .exchange import BATCH, SCHEMA, Head, Line, every_case, fields_of
from .fingerprint import Fingerprint, of_diagnosis, of_facts
from .values import Case, Filters

if TYPE_CHECKING:
    from .library import CaseLibrary

MOST_LINE = 2 << 20
"""Bytes of one case."""
MOST_FILE = 4 << 30
MOST_DEPTH = 16
MOST_TEXT = 200_000
"""Characters of one text."""
_DECODER = msgspec.json.Decoder(Head | Line)


class ImportReport(msgspec.Struct):
    """What an import or a merge brought."""

    added: int
    """Cases that were not known."""
    joined: int
    """Cases that were known and got something new: a resolution, fixes, notes, tags."""
    unchanged: int


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
    if isinstance(found, Head):
        if found.schema > SCHEMA:
            raise CaseError(f"{place}: schema {found.schema} is newer than {SCHEMA}; upgrade spikelore")
        return None
    if number == 1:
        raise CaseError(f'{place}: the first line must be the header {{"k": "casebase", "schema": {SCHEMA}}}')
    return _checked(Case(**fields_of(found)), place)


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
    if not case.id or len(case.id) > 200 or not case.id.isprintable() or " " in case.id:
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
    while batch := list(islice(stream, BATCH)):
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
    # The shape does not travel, but what it was made of does.
    shape = shape_of_case(case)
    if case.diagnosis is None:
        return msgspec.structs.replace(of_facts(case.facts), shape=shape)
    found = of_diagnosis(case.diagnosis)
    return Fingerprint({**case.facts, **found.facts}, found.fired, shape, found.causes)
