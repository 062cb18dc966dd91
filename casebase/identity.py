"""Content ids: the same thing has the same id wherever it is stored."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from .values import Case, FixTried, Note


def content_id(*parts: object) -> str:
    """Return 16 hexadecimal digits that stand for the parts."""
    return blake2b(msgspec.json.encode([str(part) for part in parts]), digest_size=8).hexdigest()


def incident_id(run: str, step: int | None, epoch: float | None) -> str:
    """Return the id of the incident that a run met at an onset."""
    return content_id("incident", run, step, epoch if step is None else None)


def written_id(case: Case) -> str:
    """Return the id of a case that somebody wrote by hand."""
    return content_id(
        "case", case.title, case.summary, case.title_zh, case.summary_zh, case.confirmed, case.project
    )


def fix_id(incident: str, fix: FixTried) -> str:
    """Return the id of an attempt: the same fix noted twice by one person is one attempt."""
    return content_id("fix", incident, fix.fix, fix.text, fix.by, fix.run)


def note_id(incident: str, note: Note) -> str:
    """Return the id of a note."""
    return content_id("note", incident, note.text, note.by)
