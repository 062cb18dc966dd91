"""Reading cases: lines for lists, whole cases, fingerprints."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from ..rules.diagnosis import Diagnosis, FactValue
from .database import Reader
from .errors import CaseError
from .fingerprint import Fingerprint, revived
from .values import Attachment, Brief, Case, Filters, FixTried, Note, Window, spell

_FIELDS = Brief.__struct_fields__
_COLUMNS = ", ".join(f"incident.{name}" for name in _FIELDS)
_LOSSES = ("train_before", "train_after", "val_before", "val_after")
_FLAGS = ("nonfinite", "recovered")
_FIX_COLUMNS = ("fix", "outcome", "before", "after", "text", "by", "run", "decided", "created", "id")
_CAUSE = "CASE WHEN incident.confirmed <> '' THEN incident.confirmed ELSE incident.predicted END"
_MOST_IDS_SHOWN = 5


def conditions(filters: Filters, starter: bool) -> tuple[str, list[Any]]:
    """Return the WHERE clause that the filters mean, and its parameters."""
    clauses: list[str] = [] if starter else ["incident.source <> 'starter'"]
    params: list[Any] = []

    def add(clause: str, value: Any) -> None:
        if value not in ("", None):
            clauses.append(clause)
            params.append(value)

    add(f"{_CAUSE} = ?", filters.cause)
    add(f"{_CAUSE} LIKE ?", f"{filters.family}.%" if filters.family else "")
    for name in ("state", "project", "framework", "model_type", "source", "lineage", "run"):
        add(f"lower(incident.{name}) = ?", getattr(filters, name).lower())
    add(_child("tag", "name"), filters.tag)
    add(_child("fix_attempt", "outcome"), filters.outcome)
    add(_child("fix_attempt", "fix"), filters.fix)
    add("incident.created >= ?", filters.since)
    add("incident.created < ?", filters.until)
    return (" WHERE " + " AND ".join(clauses) if clauses else ""), params


def _child(table: str, column: str) -> str:
    return f"EXISTS (SELECT 1 FROM {table} c WHERE c.incident = incident.key AND c.{column} = ?)"


def listed(reader: Reader, filters: Filters, starter: bool, limit: int, offset: int = 0) -> list[Brief]:
    """Return incidents that pass the filters, newest first."""
    return [_brief(row) for row in _newest(reader, _COLUMNS, filters, starter, limit, offset)]


def listed_keys(reader: Reader, filters: Filters, starter: bool, limit: int) -> list[int]:
    """Return the local keys of incidents that pass the filters, newest first."""
    return [row[0] for row in _newest(reader, "incident.key", filters, starter, limit, 0)]


def _newest(
    reader: Reader, columns: str, filters: Filters, starter: bool, limit: int, offset: int
) -> list[tuple[Any, ...]]:
    where, params = conditions(filters, starter)
    order = " ORDER BY incident.created DESC, incident.key DESC LIMIT ? OFFSET ?"
    return reader.rows(f"SELECT {columns} FROM incident{where}{order}", [*params, limit, offset])


def keys_after(reader: Reader, filters: Filters, starter: bool, last: int, limit: int) -> list[int]:
    """Return the next local keys of incidents that pass the filters, for walking through all of them."""
    where, params = conditions(filters, starter)
    where = f"{where} AND" if where else " WHERE"
    sql = f"SELECT key FROM incident{where} key > ? ORDER BY key LIMIT ?"
    return [row[0] for row in reader.rows(sql, [*params, last, limit])]


def briefs(reader: Reader, keys: Sequence[int]) -> dict[int, Brief]:
    """Return the lines of incidents by local key."""
    found = {}
    for row in _many(reader, f"SELECT incident.key, {_COLUMNS} FROM incident WHERE incident.key", keys):
        found[row[0]] = _brief(row[1:])
    return found


def fingerprints(reader: Reader, keys: Sequence[int]) -> dict[int, Fingerprint]:
    """Return fingerprints by local key; causes are left to the incident."""
    columns = "SELECT incident, facts, fired, shape FROM fingerprint WHERE incident"
    return {row[0]: _fingerprint(*row[1:]) for row in _many(reader, columns, keys)}


def fixes(reader: Reader, keys: Sequence[int]) -> dict[int, list[FixTried]]:
    """Return the attempts at fixes by local key, in the order made."""
    columns = ", ".join(f"fix_attempt.{name}" for name in _FIX_COLUMNS)
    found: dict[int, list[FixTried]] = {}
    select = f"SELECT fix_attempt.key, incident, {columns} FROM fix_attempt WHERE incident"
    for row in sorted(_many(reader, select, keys)):
        found.setdefault(row[1], []).append(_fix(row[2:]))
    return found


def find_key(reader: Reader, identifier: str) -> int:
    """Return the local key of an incident by its id or the start of it.

    Raises:
        CaseError: none or several incidents answer to it.
    """
    key = reader.value("SELECT key FROM incident WHERE id = ?", [identifier])
    if key is not None:
        return int(key)
    rows = reader.rows(
        "SELECT key, id FROM incident WHERE id >= ? AND id < ? ORDER BY id LIMIT 20",
        [identifier, identifier + "\uffff"],
    )
    if len(rows) == 1 and identifier:
        return int(rows[0][0])
    if rows and identifier:
        shown = ", ".join(row[1] for row in rows[:_MOST_IDS_SHOWN])
        raise CaseError(f"incident {identifier!r}: means more than one ({shown}); give the whole id")
    raise CaseError(f"incident {identifier!r}: not in the library; `spikelore cases list` shows the ids")


def whole(reader: Reader, key: int) -> Case:
    """Return a case with everything known of it."""
    brief = briefs(reader, [key])[key]
    fingerprint = fingerprints(reader, [key]).get(key, Fingerprint())
    return Case(
        **msgspec.structs.asdict(brief),
        fixes=fixes(reader, [key]).get(key, []),
        notes=[
            Note(*row)
            for row in reader.rows(
                "SELECT text, by, created, id FROM note WHERE incident = ? ORDER BY created, key", [key]
            )
        ],
        tags=[row[0] for row in reader.rows("SELECT name FROM tag WHERE incident = ? ORDER BY name", [key])],
        attachments=[
            Attachment(*row)
            for row in reader.rows(
                "SELECT name, media, size, sha256, created FROM attachment WHERE incident = ? ORDER BY key",
                [key],
            )
        ],
        facts=fingerprint.facts,
        diagnosis=_diagnosis(reader, key),
        window=_window(reader, key),
    )


def _diagnosis(reader: Reader, key: int) -> Diagnosis | None:
    body = reader.value(
        "SELECT body FROM diagnosis WHERE incident = ? ORDER BY created DESC, key DESC LIMIT 1", [key]
    )
    return Diagnosis.from_json(body) if body else None


def _window(reader: Reader, key: int) -> Window | None:
    body = reader.value("SELECT body FROM evidence_window WHERE incident = ?", [key])
    return msgspec.json.decode(zlib.decompress(body), type=Window) if body else None


def _many(reader: Reader, select: str, keys: Iterable[int]) -> list[tuple[Any, ...]]:
    keys = list(keys)
    if not keys:
        return []
    marks = ", ".join("?" * len(keys))
    return reader.rows(f"{select} IN ({marks})", keys)


def _brief(row: Sequence[Any]) -> Brief:
    values = dict(zip(_FIELDS, row, strict=True))
    for name in _LOSSES:
        values[name] = spell(values[name])
    for name in _FLAGS:
        values[name] = bool(values[name])
    return Brief(**values)


def _fix(row: Sequence[Any]) -> FixTried:
    values = dict(zip(_FIX_COLUMNS, row, strict=True))
    values["before"], values["after"] = spell(values["before"]), spell(values["after"])
    return FixTried(**values)


def _fingerprint(facts: str, fired: str, shape: bytes) -> Fingerprint:
    raw: dict[str, FactValue] = msgspec.json.decode(facts)
    return Fingerprint(facts=revived(raw), fired=frozenset(msgspec.json.decode(fired)), shape=bytes(shape))
