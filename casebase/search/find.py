"""Search over everything that people wrote and the product recorded."""

from __future__ import annotations

from ..database import Reader
from ..reading import briefs, fixes, listed_keys
from ..values import Filters, Hit
from .index import index_of
from .query import Query, parse
from .rank import rank
from .retrieve import Weighed, candidates, weigh
from .snippet import passage, snippet


def find(reader: Reader, text: str, filters: Filters, starter: bool, limit: int) -> list[Hit]:
    """Return the cases that answer a text best; without a text, the newest that pass the filters."""
    query = parse(text, filters, starter)
    if not query.groups:
        return _newest(reader, query, filters, starter, limit)
    index = index_of(reader)
    total = index.total()
    weighed = weigh(index, query)
    keys = candidates(index, query, weighed, total)
    scored = rank(_terms(reader, keys), weighed, total)[:limit]
    return _hits(reader, {document.key: document.score for document in scored}, weighed)


def _terms(reader: Reader, keys: list[int]) -> list[tuple[int, str, str]]:
    if not keys:
        return []
    marks = ", ".join("?" * len(keys))
    sql = f"SELECT incident, title_terms, body_terms FROM document WHERE incident IN ({marks})"
    return [(row[0], row[1], row[2]) for row in reader.rows(sql, keys)]


def _hits(reader: Reader, scores: dict[int, float], weighed: list[Weighed]) -> list[Hit]:
    keys = list(scores)
    lines, attempts = briefs(reader, keys), fixes(reader, keys)
    marks = ", ".join("?" * len(keys)) or "NULL"
    texts = dict(reader.rows(f"SELECT incident, text FROM document WHERE incident IN ({marks})", keys))
    groups = [entry.group for entry in weighed]
    hits = []
    for key, score in scores.items():
        cut, spans = snippet(passage(texts.get(key, ""), lines[key], groups), groups)
        hits.append(Hit(lines[key], round(score, 4), cut, spans, attempts.get(key, [])))
    return hits


def _newest(reader: Reader, query: Query, filters: Filters, starter: bool, limit: int) -> list[Hit]:
    if query.facets:
        keys = index_of(reader).newest([], query, limit)
    else:
        keys = listed_keys(reader, filters, starter, limit)
    return _hits(reader, dict.fromkeys(keys, 0.0), [])
