"""The library in figures."""

from __future__ import annotations

from statistics import median

from .advice import wilson
from .database import Reader
from .values import CauseCount, FixRecord, Recurring, Statistics

_CAUSE = "CASE WHEN confirmed <> '' THEN confirmed ELSE predicted END"
_MOST_TIMES = 20_000
"""The median is of the newest resolved incidents where there are more."""


def collect(reader: Reader, starter: bool) -> Statistics:
    """Return counts, times and rates over the library."""
    shown = "" if starter else " AND source <> 'starter'"
    states = dict(reader.rows(f"SELECT state, count(*) FROM incident WHERE 1 = 1{shown} GROUP BY state"))
    times = reader.rows(
        "SELECT resolved - created FROM incident WHERE state = 'resolved' AND resolved IS NOT NULL "
        f"AND source NOT IN ('starter', 'hand') ORDER BY created DESC LIMIT {_MOST_TIMES}"
    )
    right = reader.rows(
        "SELECT count(*), sum(CASE WHEN confirmed = predicted THEN 1 ELSE 0 END) FROM incident "
        "WHERE state = 'resolved' AND confirmed <> '' AND predicted <> ''"
    )[0]
    return Statistics(
        incidents=sum(states.values()),
        open=states.get("open", 0),
        resolved=states.get("resolved", 0),
        starter=reader.value("SELECT count(*) FROM incident WHERE source = 'starter'") if starter else 0,
        median_resolution=median(row[0] for row in times) if times else None,
        confirmed=right[0],
        confirmed_right=right[1] or 0,
        causes=_causes(reader, shown),
        fixes=_fixes(reader, shown),
        recurring=_recurring(reader, shown),
    )


def _causes(reader: Reader, shown: str) -> list[CauseCount]:
    rows = reader.rows(
        f"SELECT {_CAUSE} AS cause, count(*), sum(CASE WHEN state = 'resolved' THEN 1 ELSE 0 END) "
        f"FROM incident WHERE 1 = 1{shown} GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return [CauseCount(cause or "unknown", count, resolved) for cause, count, resolved in rows]


def _fixes(reader: Reader, shown: str) -> list[FixRecord]:
    rows = reader.rows(
        "SELECT fix, sum(CASE WHEN outcome = 'worked' THEN 1 ELSE 0 END), count(*) FROM fix_attempt "
        "JOIN incident ON incident.key = fix_attempt.incident "
        f"WHERE outcome <> 'unknown' AND fix <> ''{shown} GROUP BY fix"
    )
    found = [FixRecord(fix, worked, tried, round(wilson(worked, tried), 4)) for fix, worked, tried in rows]
    return sorted(found, key=lambda record: (-record.bound, record.fix))


def _recurring(reader: Reader, shown: str) -> list[Recurring]:
    rows = reader.rows(
        f"SELECT lineage, {_CAUSE} AS cause, count(*), max(project) FROM incident "
        f"WHERE lineage <> ''{shown} GROUP BY 1, 2 HAVING count(*) > 1 ORDER BY 3 DESC, 1, 2 LIMIT 20"
    )
    return [Recurring(*row) for row in rows]
