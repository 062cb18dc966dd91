"""Bringing two accounts of the same incident together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import tables
from .reading import whole
from .resolving import put_fix
from .store import reader_of
from .values import Case

if TYPE_CHECKING:
    from sqlmodel import Session

    from .library import CaseLibrary


def join(library: CaseLibrary, session: Session, other: Case) -> bool:
    """Take over what another account of a known incident has and this library lacks; tell whether anything.

    A resolution beats none, and the later of two resolutions stands. Fixes, notes and tags add up.
    """
    key = library.store.key_of(session, other.id)
    if key is None:
        return False
    before = whole(reader_of(session, library.database.postgres), key)
    row = session.get_one(tables.Incident, key)
    if other.state == "resolved" and (other.resolved or 0.0) > (before.resolved or 0.0):
        row.state, row.confirmed, row.resolved = "resolved", other.confirmed, other.resolved
        row.resolved_by = other.resolved_by
    known = {fix.id: fix for fix in before.fixes}
    for fix in other.fixes:
        if fix.id not in known or (fix.outcome != "unknown" and fix.created > known[fix.id].created):
            put_fix(library, session, key, row, fix)
    # What is decided one by one is done above; the rest can only be added to.
    library.store.attach(session, key, Case(id=other.id, notes=other.notes, tags=other.tags))
    after = library.store.refresh(session, key)
    changed = _substance(after) != _substance(before)
    if changed:
        row.updated = max(row.updated, other.updated)
    return changed


def _substance(case: Case) -> tuple[object, ...]:
    return (case.state, case.confirmed, case.resolved, case.fixes, case.notes, case.tags)
