"""Writing the starter cases into a library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, union

from .. import tables
from ..fingerprint import of_facts
from ..values import Case

if TYPE_CHECKING:
    from sqlmodel import Session

    from ..library import CaseLibrary


def load(library: CaseLibrary, cases: Sequence[Case], setting: str, version: str) -> None:
    """Replace the starter cases; what people wrote on them stays."""
    row: Any = tables.Incident
    attempt: Any = tables.FixAttempt
    with library.database.session() as session:
        # Two processes may both find the library without starter cases; the second waits here and then
        # finds nothing to change.
        known = dict(
            session.execute(select(row.id, row.key).where(row.source == "starter").with_for_update()).all()
        )
        library.store.add(session, cases, [of_facts(case.facts) for case in cases])
        for case in cases:
            if (key := known.pop(case.id, None)) is None:
                continue
            current = session.get_one(tables.Incident, key)
            for name in ("title", "title_zh", "summary", "summary_zh", "confirmed", "reference"):
                setattr(current, name, getattr(case, name))
            session.execute(
                delete(tables.FixAttempt).where(attempt.incident == key, attempt.decided == "starter")
            )
            library.store.attach(session, key, case)
            library.store.refresh(session, key, of_facts(case.facts))
        _let_go(library, session, list(known.values()))
        insert = library.store.insert(tables.Setting).values(name=setting, value=version)
        session.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": version}))


def _let_go(library: CaseLibrary, session: Session, keys: list[int]) -> None:
    """Delete cases that are shipped no more; one that somebody wrote on becomes theirs."""
    row: Any = tables.Incident
    attempt: Any = tables.FixAttempt
    note: Any = tables.NoteRow
    attachment: Any = tables.AttachmentRow
    theirs = union(
        select(attempt.incident).where(attempt.decided != "starter", attempt.incident.in_(keys)),
        select(note.incident).where(note.incident.in_(keys)),
        select(attachment.incident).where(attachment.incident.in_(keys)),
    )
    for key in list(session.execute(theirs).scalars()):
        session.get_one(tables.Incident, key).source = "hand"
        library.store.refresh(session, key)
    session.execute(delete(tables.Incident).where(row.key.in_(keys), row.source == "starter"))
