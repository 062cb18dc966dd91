"""Which documents are worth ranking: the work stays bounded however common the words are."""

from __future__ import annotations

from dataclasses import dataclass

from .index import Index
from .mend import mend
from .query import Group, Query

_SMALL = 2000
"""Documents up to which everything that answers anything is ranked."""
CANDIDATES = 150
_FEWER = 0.75
"""Share of the words, the rarest, that is asked for next where too few documents have all of them."""


@dataclass
class Weighed:
    """A group and how many documents answer it."""

    group: Group
    documents: int


def weigh(index: Index, query: Query) -> list[Weighed]:
    """Return the groups with their frequency, misspelt ones mended, rarest first."""
    counts = index.frequencies(_terms(query.groups))
    mended = [group for group in query.groups if not _documents(group, counts) and mend(index, group)]
    if mended:
        counts.update(index.frequencies(_terms(mended)))
    weighed = [Weighed(group, _documents(group, counts)) for group in query.groups]
    return sorted(weighed, key=lambda entry: entry.documents)


def _terms(groups: list[Group]) -> list[str]:
    return list({term for group in groups for way in group.alternatives for term in way.terms})


def _documents(group: Group, counts: dict[str, int]) -> int:
    return sum(min(counts[term] for term in way.terms) for way in group.alternatives)


def candidates(index: Index, query: Query, weighed: list[Weighed], total: int) -> list[int]:
    """Return the keys of documents to rank, the rarest words deciding."""
    live = [entry for entry in weighed if entry.documents]
    if not live:
        return []
    if total <= _SMALL:
        return index.best([entry.group for entry in live], query, CANDIDATES)
    rare: list[Group] = []
    spent = 0
    for entry in live:
        spent += entry.documents
        if spent > index.budget:
            break
        rare.append(entry.group)
    found = dict.fromkeys(index.best(rare, query, CANDIDATES)) if rare else {}
    # What answers every word is wanted too, and among many such the newest do as well as any.
    size = len(live)
    while size and len(found) < CANDIDATES and not (rare and size <= len(rare)):
        found.update(dict.fromkeys(index.newest([e.group for e in live[:size]], query, CANDIDATES)))
        size = int(size * _FEWER)
    return list(found)
