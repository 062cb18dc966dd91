"""The full-text index behind one interface: FTS5 on SQLite, a tsvector with GIN on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ..database import Reader
from .query import Group, Query


class Index(Protocol):
    """What the search needs of a database."""

    budget: int
    """Documents that it ranks in a few milliseconds."""

    def total(self) -> int:
        """Return about how many documents there are."""
        ...

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Return in about how many documents each term stands."""
        ...

    def newest(self, groups: Sequence[Group], query: Query, limit: int) -> list[int]:
        """Return the newest documents that answer every group, as keys."""
        ...

    def best(self, groups: Sequence[Group], query: Query, limit: int) -> list[int]:
        """Return the best documents that answer any group; only for groups that few documents answer."""
        ...

    def known(self, words: Sequence[str]) -> list[str]:
        """Return those of the words that somebody once wrote."""
        ...

    def like(self, word: str, limit: int) -> list[str]:
        """Return words once written that look like this one or start with it."""
        ...


def index_of(reader: Reader) -> Index:
    """Return the index of the database that a reader reads."""
    if not reader.postgres:
        return SqliteIndex(reader)
    from .postgres import PostgresIndex

    return PostgresIndex(reader)


def known_words(reader: Reader, words: Sequence[str]) -> list[str]:
    """Return those of the words that somebody once wrote."""
    marks = ", ".join("?" * len(words))
    return [row[0] for row in reader.rows(f"SELECT word FROM word WHERE word IN ({marks})", words)]


def between(query: Query, key: str) -> tuple[str, list[Any]]:
    """Return the clause for the dates asked for."""
    clauses, params = "", []
    for operator, value in ((">=", query.since), ("<", query.until)):
        if value is not None:
            clauses += f" AND (SELECT created FROM incident WHERE incident.key = {key}) {operator} ?"
            params.append(value)
    return clauses, params


@dataclass
class SqliteIndex:
    """FTS5: whole words with bm25, trigrams over the vocabulary."""

    reader: Reader
    budget: int = 20_000

    def total(self) -> int:
        """Return about how many documents there are: rows are hardly ever deleted."""
        return int(self.reader.value("SELECT max(incident) FROM document") or 0)

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Return in how many documents each term stands."""
        sql = "SELECT doc FROM document_vocabulary WHERE term = ?"
        return {term: int(self.reader.value(sql, [term]) or 0) for term in terms}

    def newest(self, groups: Sequence[Group], query: Query, limit: int) -> list[int]:
        """Return the newest documents that answer every group."""
        return self._keys(_match(groups, query, " AND "), query, "rowid DESC", limit)

    def best(self, groups: Sequence[Group], query: Query, limit: int) -> list[int]:
        """Return the best documents that answer any group."""
        order = "bm25(document_index, 4.0, 1.0, 0.5), rowid DESC"
        return self._keys(_match(groups, query, " OR "), query, order, limit)

    def _keys(self, match: str, query: Query, order: str, limit: int) -> list[int]:
        dates, params = between(query, "document_index.rowid")
        sql = f"SELECT rowid FROM document_index WHERE document_index MATCH ?{dates} ORDER BY {order} LIMIT ?"
        return [row[0] for row in self.reader.rows(sql, [match, *params, limit])]

    def known(self, words: Sequence[str]) -> list[str]:
        """Return those of the words that somebody once wrote."""
        return known_words(self.reader, words)

    def like(self, word: str, limit: int) -> list[str]:
        """Return words that share trigrams with this one."""
        grams = " OR ".join(f'"{word[i : i + 3]}"' for i in range(len(word) - 2))
        sql = "SELECT word FROM word_index WHERE word_index MATCH ? ORDER BY rank LIMIT ?"
        return [row[0] for row in self.reader.rows(sql, [grams, limit])]


def _match(groups: Sequence[Group], query: Query, mode: str) -> str:
    """Return an FTS5 expression."""
    parts = []
    if groups:
        parts.append("(" + mode.join(_quoted_group(group) for group in groups) + ")")
    parts += [f'"{term}"' for term in query.facets]
    match = " AND ".join(parts)
    return match + "".join(f' NOT "{term}"' for term in query.excluded)


def _quoted_group(group: Group) -> str:
    ways = [" AND ".join(f'"{term}"' for term in way.terms) for way in group.alternatives]
    return "(" + " OR ".join(f"({way})" for way in ways) + ")"
