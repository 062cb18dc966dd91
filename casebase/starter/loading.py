"""Writing the starter cases into a library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from .. import tables
from ..fingerprint import of_facts
from ..values import Case

if TYPE_CHECKING:
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
        if known:
            session.execute(delete(tables.Incident).where(row.key.in_(list(known.values()))))
        insert = library.store.insert(tables.Setting).values(name=setting, value=version)
        session.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": version}))
