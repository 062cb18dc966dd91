"""Closing an incident with what it was and what was tried, and taking that back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from . import tables
from .checks import check_cause, check_fixes
from .errors import CaseError
from .identity import fix_id, note_id
from .reading import find_key
from .store import reader_of
from .values import Case, FixTried, Note

if TYPE_CHECKING:
    from sqlmodel import Session

    from ..rules.diagnosis import Diagnosis
    from .library import CaseLibrary

BY_ITSELF = "spikelore"
"""Who closed an incident that nobody had to look at."""


def resolve(
    library: CaseLibrary, identifier: str, cause: str, fixes: Sequence[FixTried], note: str, by: str
) -> Case:
    """Close an incident and return it.

    Raises:
        CaseError: there is no such incident, or the cause or an outcome is none.
    """
    check_cause(cause)
    check_fixes(fixes)
    now = time.time()
    with library.database.session() as session:
        key = find_key(reader_of(session, library.database.postgres), identifier)
        row = session.get_one(tables.Incident, key)
        row.state, row.confirmed, row.resolved, row.resolved_by, row.updated = "resolved", cause, now, by, now
        for fix in fixes:
            put_fix(library, session, key, row, _dated(fix, now, by))
        if note:
            _write_note(library, session, key, row.id, Note(note, by, now))
        return library.store.refresh(session, key)


def dismiss(library: CaseLibrary, run: str, diagnosis: Diagnosis) -> list[str]:
    """Close the open incidents of a run whose last diagnosis found none, as the pattern that it names.

    A bump that recovered is alarmed like any other while it lasts; only the rest of the run shows what it
    was. People can take it back like any resolving.
    """
    column: Any = tables.Incident
    with library.database.session() as session:
        rows = session.execute(
            select(tables.Incident).where(column.run == run, column.state == "open")
        ).scalars()
        closed = []
        for row in list(rows):
            now = time.time()
            row.state, row.confirmed, row.resolved = "resolved", diagnosis.pattern or "pattern.noise", now
            row.resolved_by, row.updated = BY_ITSELF, now
            row.verdict, row.pattern = diagnosis.verdict, diagnosis.pattern
            assert row.key is not None  # noqa: S101 - it was read
            if diagnosis.reason:
                _write_note(library, session, row.key, row.id, Note(diagnosis.reason, BY_ITSELF, now))
            library.store.refresh(session, row.key)
            closed.append(row.id)
    return closed


def _write_note(library: CaseLibrary, session: Session, key: int, incident: str, note: Note) -> None:
    values = {"id": note_id(incident, note), "text": note.text, "by": note.by, "created": note.created}
    insert = library.store.insert(tables.NoteRow).values(incident=key, **values)
    session.execute(insert.on_conflict_do_nothing())


def unresolve(library: CaseLibrary, identifier: str) -> Case:
    """Take back the last resolving, with the fixes and the note that came with it, and return the incident.

    Raises:
        CaseError: there is no such incident, or it is open.
    """
    with library.database.session() as session:
        key = find_key(reader_of(session, library.database.postgres), identifier)
        row = session.get_one(tables.Incident, key)
        if row.state != "resolved":
            raise CaseError(f"incident {row.id}: is open; there is nothing to take back")
        for table in (tables.FixAttempt, tables.NoteRow):
            columns: Any = table
            session.execute(delete(table).where(columns.incident == key, columns.created == row.resolved))
        row.state, row.confirmed, row.resolved, row.resolved_by = "open", "", None, ""
        row.updated = time.time()
        return library.store.refresh(session, key)


def add_fix(library: CaseLibrary, identifier: str, fix: FixTried) -> Case:
    """Note an attempt at a fix, or a new outcome of one that is noted, and return the incident.

    Raises:
        CaseError: there is no such incident, or the outcome is none.
    """
    check_fixes([fix])
    with library.database.session() as session:
        key = find_key(reader_of(session, library.database.postgres), identifier)
        row = session.get_one(tables.Incident, key)
        row.updated = time.time()
        put_fix(library, session, key, row, _dated(fix, row.updated, fix.by))
        return library.store.refresh(session, key)


def put_fix(library: CaseLibrary, session: Session, key: int, row: tables.Incident, fix: FixTried) -> None:
    """Write an attempt; a person's word replaces what is there, a later run's only what no person said."""
    fix.id = fix.id or fix_id(row.id, fix)
    fix.before = row.train_after if fix.before is None else fix.before
    values = {
        "fix": fix.fix, "text": fix.text, "outcome": fix.outcome, "before": fix.before, "after": fix.after,
        "by": fix.by, "run": fix.run, "decided": fix.decided, "created": fix.created,
    }  # fmt: skip
    statement = library.store.insert(tables.FixAttempt).values(incident=key, id=fix.id, **values)
    changed = {name: values[name] for name in ("outcome", "before", "after", "decided", "run", "text")}
    overrules: Any = None
    if fix.decided != "person":
        attempt: Any = tables.FixAttempt
        overrules = (attempt.decided != "person") | (attempt.outcome == "unknown")
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed, where=overrules))


def _dated(fix: FixTried, now: float, by: str) -> FixTried:
    fix.created = fix.created or now
    fix.by = fix.by or by
    return fix
