from __future__ import annotations

import re
from pathlib import Path

import pytest
from spikelore.casebase import Case, FixTried, Note, Window
from spikelore.casebase.search.query import FACETS

TEXT = (Path(__file__).parents[2] / "docs" / "case-library.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`([\w.]+)`", TEXT))


@pytest.mark.parametrize("kind", [Case, FixTried, Note, Window])
def test_every_field_of_an_export_is_documented(kind: type) -> None:
    """The format page names every field that a line may have."""
    assert set(kind.__struct_fields__) - NAMED == set()  # type: ignore[attr-defined]


def test_every_filter_is_documented() -> None:
    """The page names every filter that a query may hold, except the rare ones."""
    assert {name for name in FACETS if f"`{name}:" not in TEXT} <= {"source", "lineage"}
