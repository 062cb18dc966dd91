"""Writing cases: whole ones in bulk, and the index of one that changed."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import delete, event, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite

from . import tables
from .database import Database, Reader
from .documents import document_of, vocabulary
from .fingerprint import Fingerprint
from .identity import fix_id, note_id, written_id
from .reading import fingerprints, whole
from .values import Brief, Case, Window, spell

if TYPE_CHECKING:
    from sqlmodel import Session

BRIEF_COLUMNS = Brief.__struct_fields__
_MOST_KNOWN_WORDS = 500_000
_DIAGNOSES_KEPT = 10
_BULK_LOCK = 0x5B1CEB
_MOST_PARAMETERS = 5000
"""Values in one statement; SQLite takes 32,766."""


class Store:
    """Writes cases of one library.

    Args:
        database: where the sessions are from.
    """

    def __init__(self, database: Database) -> None:
        self.postgres = postgres = database.postgres
        self._database = database
        self.insert: Any = postgresql.insert if postgres else sqlite.insert
        self._known_words: set[str] = set()

    def add(self, session: Session, cases: Sequence[Case], fingerprints: Sequence[Fingerprint]) -> list[str]:
        """Write cases that are new and return the ids of those; one that is there already stays as it is."""
        for case in cases:
            _complete(case)
        if self.postgres and len(cases) > 1:
            # Two imports of the same incidents in different orders would wait for each other.
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _BULK_LOCK})
        given = {case.id: (case, print_) for case, print_ in zip(cases, fingerprints, strict=True)}
        known = self._keys(session, list(given))
        new = {identifier: pair for identifier, pair in given.items() if identifier not in known}
        if not new:
            return []
        self._insert_many(session, tables.Incident, [_incident_row(case) for case, _ in new.values()])
        # Asking for the keys afterwards is several times faster than having them returned by the insert.
        # Should another writer have been first with an incident, its parts have the same content ids.
        keys = self._keys(session, list(new))
        self._add_children(session, [(keys[name], case, print_) for name, (case, print_) in new.items()])
        return list(new)

    def _keys(self, session: Session, identifiers: list[str]) -> dict[str, int]:
        table = _core(tables.Incident)
        found: dict[str, int] = {}
        for start in range(0, len(identifiers), _MOST_PARAMETERS):
            part = identifiers[start : start + _MOST_PARAMETERS]
            rows = session.connection().execute(select(table.c.id, table.c.key).where(table.c.id.in_(part)))
            found.update((name, key) for name, key in rows)
        return found

    def _add_children(self, session: Session, fresh: list[tuple[int, Case, Fingerprint]]) -> None:
        parts: dict[Any, list[dict[str, Any]]] = {}
        words: set[str] = set()
        for key, case, fingerprint in fresh:
            document = document_of(case, fingerprint)
            words |= vocabulary(document)
            parts.setdefault(tables.Document, []).append({"incident": key, **document})
            parts.setdefault(tables.Fingerprint, []).append(
                {"incident": key, **_fingerprint_row(fingerprint)}
            )
            for table, row in _child_rows(key, case):
                parts.setdefault(table, []).append(row)
        self.learn(session, words)
        for table, rows in parts.items():
            self._insert_many(session, table, rows)

    def _insert_many(self, session: Session, table: Any, rows: list[dict[str, Any]]) -> None:
        """Insert rows past the object mapper, whose bookkeeping costs more than the database."""
        session.connection().execute(self.insert(_core(table)).on_conflict_do_nothing(), rows)

    def learn(self, session: Session, words: Iterable[str]) -> None:
        """Remember words for mending misspelt queries."""
        # Sorted, as two writers that insert the same words in different orders would block each other.
        new = sorted(set(words) - self._known_words)
        if not new:
            return
        if self.postgres:
            # By a connection of its own: a long transaction that learns twice could not keep the order.
            with self._database.reader() as reader:
                sql = "INSERT INTO word (word) SELECT unnest(?::text[]) ON CONFLICT DO NOTHING"
                reader.run(sql, [new])
        else:
            self._insert_many(session, tables.Word, [{"word": word} for word in new])
        if len(self._known_words) < _MOST_KNOWN_WORDS:
            # Not before they are really there: the transaction may still be undone.
            event.listen(session, "after_commit", lambda _: self._known_words.update(new), once=True)

    def refresh(self, session: Session, key: int, fingerprint: Fingerprint | None = None) -> Case:
        """Index a changed incident anew, in the transaction that changed it, and return it."""
        session.flush()
        reader = reader_of(session, self.postgres)
        case = whole(reader, key)
        known = fingerprint or fingerprints(reader, [key]).get(key, Fingerprint())
        document = document_of(case, known)
        self.learn(session, vocabulary(document))
        for table, row in ((tables.Document, document), (tables.Fingerprint, _fingerprint_row(known))):
            statement = self.insert(table).values(incident=key, **row)
            session.execute(statement.on_conflict_do_update(index_elements=["incident"], set_=row))
        return case

    def attach(self, session: Session, key: int, case: Case) -> None:
        """Add the case's fixes, notes, tags, diagnosis and window to an incident that exists."""
        for table, row in _child_rows(key, case):
            self._insert_many(session, table, [row])

    def forget_old_diagnoses(self, session: Session, key: int) -> None:
        """Keep the newest diagnoses of an incident: a long run is diagnosed again and again."""
        row: Any = tables.DiagnosisRow
        newest = select(row.key).where(row.incident == key).order_by(row.created.desc(), row.key.desc())
        old = list(session.execute(newest.offset(_DIAGNOSES_KEPT)).scalars())
        if old:
            session.execute(delete(tables.DiagnosisRow).where(row.key.in_(old)))

    def put_window(self, session: Session, key: int, window: Window) -> None:
        """Replace the evidence window of an incident."""
        table = tables.EvidenceWindow
        session.execute(delete(table).where(table.incident == key))  # type: ignore[arg-type]
        session.execute(insert(table), [_window_row(key, window)])

    def key_of(self, session: Session, identifier: str) -> int | None:
        """Return the local key of an incident."""
        column: Any = tables.Incident.key
        where: Any = tables.Incident.id == identifier
        return session.execute(select(column).where(where)).scalar()


def _core(table: Any) -> Any:
    """Return the plain table behind a model."""
    return table.__table__


def reader_of(session: Session, postgres: bool) -> Reader:
    """Return a reader that sees what the session's transaction has done so far."""
    connection: Any = session.connection().connection.driver_connection
    return Reader(connection, postgres)


def _complete(case: Case) -> None:
    """Fill in what a case needs to be stored."""
    case.id = case.id or written_id(case)
    case.created = case.created or time.time()
    case.updated = case.updated or case.created
    for fix in case.fixes:
        fix.created = fix.created or case.updated
        fix.id = fix.id or fix_id(case.id, fix)
    for note in case.notes:
        note.created = note.created or case.updated
        note.id = note.id or note_id(case.id, note)


def _incident_row(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in BRIEF_COLUMNS}


def _fingerprint_row(fingerprint: Fingerprint) -> dict[str, Any]:
    facts = {
        name: spell(value) if isinstance(value, float) else value for name, value in fingerprint.facts.items()
    }
    return {
        "facts": msgspec.json.encode(facts).decode(),
        "fired": msgspec.json.encode(sorted(fingerprint.fired)).decode(),
        "shape": fingerprint.shape,
    }


def _window_row(key: int, window: Window) -> dict[str, Any]:
    return {
        "incident": key,
        "first_step": window.step[0] if window.step else 0,
        "last_step": window.step[-1] if window.step else 0,
        "body": zlib.compress(msgspec.json.encode(window), 6),
    }


def _child_rows(key: int, case: Case) -> list[tuple[Any, dict[str, Any]]]:
    _complete(case)
    rows: list[tuple[Any, dict[str, Any]]] = [
        (tables.FixAttempt, {"incident": key, **msgspec.structs.asdict(fix)}) for fix in case.fixes
    ]
    rows += [(tables.NoteRow, {"incident": key, **msgspec.structs.asdict(note)}) for note in case.notes]
    rows += [(tables.Tag, {"incident": key, "name": tag}) for tag in dict.fromkeys(case.tags)]
    if case.diagnosis:
        body = case.diagnosis.to_json()
        digest = sha256(body).hexdigest()[:16]
        row = {"incident": key, "digest": digest, "body": body.decode(), "created": case.updated}
        rows.append((tables.DiagnosisRow, row))
    if case.window and case.window.step:
        rows.append((tables.EvidenceWindow, _window_row(key, case.window)))
    return rows
