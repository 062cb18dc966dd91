"""The full-text index on PostgreSQL: a tsvector with GIN, and pg_trgm over the vocabulary."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil

from ..database import Reader
from .index import between, known_words
from .query import Group, Query


@dataclass
class _Sample:
    """How common the most common lexemes are, as PostgreSQL's own statistics say."""

    taken: float = 0.0
    total: int = 0
    share: dict[str, float] = field(default_factory=dict)


_SAMPLES: dict[str, _Sample] = {}
_SAMPLE_SECONDS = 60.0
_SMALL = 5000
AGE = 32_768
"""Incidents that share a term of age in the index; migration 0003 writes it."""
_PARTS = ((0, 1), (1, 3))
"""Ages that are looked through one after the other."""
_NEAR = 10_000
"""Newest documents that are looked through one by one."""
_SLACK = 2.5
"""Things asked for together need not stand together as often as the rarest of them."""


@dataclass
class PostgresIndex:
    """GIN over a tsvector, pg_trgm over the vocabulary."""

    reader: Reader
    budget: int = 2_000
    """Every tsvector is fetched from the table to be ranked."""

    def total(self) -> int:
        """Return about how many documents there are."""
        return self._sample().total

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """Return in about how many documents each term stands: counted where few, else from statistics."""
        sample = self._sample()
        found = {term: round(sample.share[term] * sample.total) for term in terms if term in sample.share}
        unknown = [term for term in terms if term not in found]
        # What the statistics leave out is rare, so counting is cheap.
        sql = f"SELECT count(*) FROM (SELECT 1 FROM document WHERE terms @@ ?::tsquery LIMIT {_SMALL}) AS few"
        for term in unknown:
            found[term] = int(self.reader.value(sql, [_lexeme(term)]))
        return found

    def newest(self, groups: Sequence[Group], query: Query, limit: int) -> list[int]:
        """Return the newest documents that answer every group.

        All that match are fetched to be sorted. Where most of the library does, looking through its newest
        part is faster; where much of it does, the index is asked for the newest part first.
        """
        share = self._share(groups, query)
        reach = ceil(_SLACK * limit / share) if share else 0
        if 0 < reach <= _NEAR:
            near = f"(SELECT incident, terms FROM document ORDER BY incident DESC LIMIT {reach}) AS document"
            found = self._newest_of(near, groups, query, limit)
            if len(found) == limit:
                return found
        # What may be written in several ways is looked up in so many lists that age is no help.
        plain = all(len(group.alternatives) == 1 for group in groups)
        if plain and share * self.total() > _SMALL:
            found = self._recent(groups, query, limit)
            if len(found) == limit:
                return found
        return self._newest_of("document", groups, query, limit)

    def _recent(self, groups: Sequence[Group], query: Query, limit: int) -> list[int]:
        """Look through the newest parts of the library only."""
        newest = int(self.reader.value("SELECT max(incident) FROM document") or 0) // AGE
        found: list[int] = []
        for first, last in _PARTS:
            ages = [f"age:{newest - age}" for age in range(first, last)]
            found += self._newest_of("document", groups, query, limit - len(found), ages)
            if len(found) == limit:
                break
        return found

    def _newest_of(
        self, source: str, groups: Sequence[Group], query: Query, limit: int, ages: Sequence[str] = ()
    ) -> list[int]:
        dates, params = between(query, "document.incident")
        sql = f"SELECT incident FROM {source} WHERE terms @@ ?::tsquery{dates} ORDER BY incident DESC LIMIT ?"
        match = _tsquery(groups, query, " & ")
        if ages:
            match += f" & ({' | '.join(map(_lexeme, ages))})"
        return [row[0] for row in self.reader.rows(sql, [match, *params, limit])]

    def _share(self, groups: Sequence[Group], query: Query) -> float:
        """Return the share of documents with the rarest thing asked for; 0 where statistics leave it out."""
        known = self._sample().share
        shares = [known.get(term, 0.0) for term in query.facets]
        shares += [
            sum(min(known.get(term, 0.0) for term in way.terms) for way in group.alternatives)
            for group in groups
        ]
        return min(shares, default=0.0)

    def best(self, groups: Sequence[Group], query: Query, limit: int) -> list[int]:
        """Return the documents that answer the most groups."""
        dates, params = between(query, "document.incident")
        score = " + ".join("(terms @@ ?::tsquery)::int * ?::float8" for _ in groups)
        weights = [part for group in groups for part in (_tsquery([group], Query(), " & "), group.importance)]
        sql = (
            f"SELECT incident FROM document WHERE terms @@ ?::tsquery{dates} "
            f"ORDER BY {score} DESC, incident DESC LIMIT ?"
        )
        rows = self.reader.rows(sql, [_tsquery(groups, query, " | "), *params, *weights, limit])
        return [row[0] for row in rows]

    def known(self, words: Sequence[str]) -> list[str]:
        """Return those of the words that somebody once wrote."""
        return known_words(self.reader, words)

    def like(self, word: str, limit: int) -> list[str]:
        """Return words that share trigrams with this one."""
        sql = "SELECT word FROM word WHERE word %% ? OR word LIKE ? ORDER BY similarity(word, ?) DESC LIMIT ?"
        return [row[0] for row in self.reader.rows(sql, [word, f"{word}%", word, limit])]

    def _sample(self) -> _Sample:
        sample = _SAMPLES.get(self.reader.place)
        if sample is None or time.monotonic() - sample.taken > _SAMPLE_SECONDS:
            sample = self._take_sample()
            # A small library is counted each time: it is fast, and one more case makes a difference.
            if sample.total >= _SMALL:
                _SAMPLES[self.reader.place] = sample
        return sample

    def _take_sample(self) -> _Sample:
        total = self.reader.value("SELECT reltuples::bigint FROM pg_class WHERE oid = 'document'::regclass")
        if total is None or total < _SMALL:
            total = self.reader.value("SELECT count(*) FROM document")
        rows = self.reader.rows(
            "SELECT most_common_elems::text::text[], most_common_elem_freqs FROM pg_stats "
            "WHERE schemaname = current_schema() AND tablename = 'document' AND attname = 'terms'"
        )
        share = dict(zip(*rows[0], strict=False)) if rows and rows[0][0] else {}
        return _Sample(time.monotonic(), int(total), share)


def _lexeme(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def _tsquery(groups: Sequence[Group], query: Query, mode: str) -> str:
    """Return a tsquery in text form."""
    parts = []
    if groups:
        ways = ([" & ".join(map(_lexeme, way.terms)) for way in group.alternatives] for group in groups)
        parts.append("(" + mode.join("(" + " | ".join(f"({w})" for w in way) + ")" for way in ways) + ")")
    parts += [_lexeme(term) for term in query.facets]
    parts += [f"!{_lexeme(term)}" for term in query.excluded]
    return " & ".join(parts)
