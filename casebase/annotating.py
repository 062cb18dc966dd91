"""Notes, tags and attachments."""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from . import tables
from .errors import CaseError
from .identity import note_id
from .reading import find_key
from .store import reader_of
from .values import Case, Note

if TYPE_CHECKING:
    from sqlmodel import Session

    from .library import CaseLibrary

MOST_BYTES = 4 << 20
"""An attachment is a log excerpt or a plot; checkpoints belong elsewhere."""
_LONGEST_TAG = 60


@contextmanager
def _incident(library: CaseLibrary, identifier: str) -> Iterator[tuple[Session, int, tables.Incident]]:
    with library.database.session() as session:
        key = find_key(reader_of(session, library.database.postgres), identifier)
        row = session.get_one(tables.Incident, key)
        row.updated = time.time()
        yield session, key, row


def add_note(library: CaseLibrary, identifier: str, text: str, by: str) -> Case:
    """Write a note on an incident and return it.

    Raises:
        CaseError: there is no such incident, or the note is empty.
    """
    if not text.strip():
        raise CaseError("note: is empty; write what was seen or done")
    with _incident(library, identifier) as (session, key, row):
        note = Note(text.strip(), by, row.updated)
        values = {"id": note_id(row.id, note), "text": note.text, "by": by, "created": note.created}
        insert = library.store.insert(tables.NoteRow).values(incident=key, **values)
        session.execute(insert.on_conflict_do_nothing())
        return library.store.refresh(session, key)


def add_tags(library: CaseLibrary, identifier: str, names: Sequence[str]) -> Case:
    """Put tags on an incident and return it.

    Raises:
        CaseError: there is no such incident, or a tag is not one word.
    """
    for name in names:
        if not name or len(name) > _LONGEST_TAG or len(name.split()) != 1:
            raise CaseError(f"tag {name!r}: valid is one word of at most {_LONGEST_TAG} characters")
    with _incident(library, identifier) as (session, key, _):
        for name in names:
            insert = library.store.insert(tables.Tag).values(incident=key, name=name)
            session.execute(insert.on_conflict_do_nothing())
        return library.store.refresh(session, key)


def remove_tags(library: CaseLibrary, identifier: str, names: Sequence[str]) -> Case:
    """Take tags off an incident and return it.

    Raises:
        CaseError: there is no such incident.
    """
    with _incident(library, identifier) as (session, key, _):
        columns: Any = tables.Tag
        session.execute(delete(tables.Tag).where(columns.incident == key, columns.name.in_(list(names))))
        return library.store.refresh(session, key)


def attach(library: CaseLibrary, identifier: str, name: str, content: bytes, media: str) -> Case:
    """Keep a file with an incident and return it; the same content twice is one.

    Raises:
        CaseError: there is no such incident, or the file is too large.
    """
    if len(content) > MOST_BYTES:
        raise CaseError(f"attachment {name!r}: {len(content):,} bytes; valid is up to {MOST_BYTES:,}")
    with _incident(library, identifier) as (session, key, row):
        values = {
            "name": name,
            "media": media or mimetypes.guess_type(name)[0] or "application/octet-stream",
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
            "body": content,
            "created": row.updated,
        }
        insert = library.store.insert(tables.AttachmentRow).values(incident=key, **values)
        session.execute(insert.on_conflict_do_nothing())
        return library.store.refresh(session, key)


def attachment(library: CaseLibrary, identifier: str, digest: str) -> bytes:
    """Return the content of an attachment.

    Raises:
        CaseError: there is no such incident or attachment.
    """
    with library.database.reader() as reader:
        key = find_key(reader, identifier)
        body = reader.value("SELECT body FROM attachment WHERE incident = ? AND sha256 = ?", [key, digest])
    if body is None:
        raise CaseError(f"incident {identifier!r}: has no attachment {digest!r}")
    return bytes(body)
