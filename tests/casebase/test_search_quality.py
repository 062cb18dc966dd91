from __future__ import annotations

import pytest
from spikelore.casebase import CaseLibrary
from spikelore.casebase.starter import cases

from . import held_queries, queries

TOP = 5
GROUPS = {
    "English": queries.ENGLISH,
    "Chinese": queries.CHINESE,
    "misspelt": queries.MISSPELT,
    "in other words": queries.OTHER_WORDS,
}


def share_found(library: CaseLibrary, asked: dict[str, str]) -> tuple[float, list[str]]:
    """Return the share of queries whose case is in the top five, and the queries that failed."""
    failed = [
        text
        for text, wanted in asked.items()
        if wanted not in [hit.case.id for hit in library.search(text, limit=TOP)]
    ]
    return 1 - len(failed) / len(asked), failed


def test_the_right_case_is_in_the_top_five(starter_library: CaseLibrary) -> None:
    """Of all queries with a known answer at least 95 % find it."""
    share, failed = share_found(starter_library, queries.ALL)
    assert share >= 0.95, failed


@pytest.mark.parametrize("kind", GROUPS)
def test_no_kind_of_query_is_left_behind(starter_library: CaseLibrary, kind: str) -> None:
    """Each kind of query finds its case in at least nine of ten."""
    share, failed = share_found(starter_library, GROUPS[kind])
    assert share >= 0.9, failed


def test_queries_that_nothing_was_adjusted_to(starter_library: CaseLibrary) -> None:
    """Unseen queries find their case in nine of ten, and all of them where a word is shared or misspelt."""
    share, failed = share_found(starter_library, held_queries.ALL)
    assert share >= 0.9, failed
    assert set(failed) <= set(held_queries.OTHER_WORDS)


def test_queries_ask_for_cases_that_exist() -> None:
    """The set is large enough to mean something, and every answer is a starter case."""
    known = {case.id for case in cases()}
    assert len(queries.ALL) >= 60
    assert set(queries.ALL.values()) | set(held_queries.ALL.values()) <= known
