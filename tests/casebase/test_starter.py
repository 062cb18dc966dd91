from __future__ import annotations

from pathlib import Path

import pytest
from spikelore.casebase import Case, CaseError, CaseLibrary, FixTried, starter
from spikelore.casebase.checks import check_cause, check_fixes
from spikelore.rules.facts import registry

CASES = list(starter.cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_starter_case_is_whole(case: Case) -> None:
    """A case has both languages, a valid cause and fixes, and a public address unless it is the article's."""
    assert case.title
    assert case.title_zh
    assert len(case.summary.split()) > 15
    assert len(case.summary_zh) > 20
    assert case.state == "resolved"
    check_cause(case.confirmed)
    check_fixes(case.fixes)
    assert case.reference.startswith("https://") or "article" in case.tags


@pytest.mark.parametrize("case", [case for case in CASES if case.facts], ids=lambda case: case.id)
def test_starter_facts_are_facts_that_rules_know(case: Case) -> None:
    """A fingerprint is made of registered facts with values of their kind."""
    specs = registry.specs()
    kinds: dict[str, tuple[type, ...]] = {"number": (int, float), "bool": (bool,), "text": (str,)}
    for name, value in case.facts.items():
        assert isinstance(value, kinds[specs[name].kind]), name
        assert specs[name].kind == "bool" or not isinstance(value, bool), name


def test_ids_are_unique() -> None:
    """No two starter cases share an id."""
    assert len({case.id for case in CASES}) == len(CASES)


def test_the_article_and_the_public_incidents_are_there(library: CaseLibrary) -> None:
    """A fresh library holds the article's six cases and the public ones; loading again changes nothing."""
    assert starter.ensure_loaded(library)
    assert not starter.ensure_loaded(library)
    with CaseLibrary.open(library.database.url, starter=True) as shown:
        assert len(shown.list(limit=1000)) == len(CASES)
        assert len(shown.search("tag:article")) == 6


def test_a_new_release_replaces_starter_cases_and_keeps_what_people_wrote(
    library: CaseLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changed accounts are taken over; what people wrote stays, also on cases that are shipped no more."""
    starter.ensure_loaded(library)
    library.note("article-white-image", "seen here too", "ann")
    library.add_fix("article-white-image", FixTried("fix.clip-gradients", "worked", by="ann"))
    library.note("public-darknet-card", "ours did the same", "ann")
    gone = ("article-rank-desync", "public-darknet-card")
    changed = [case for case in starter.cases() if case.id not in gone]
    changed[0].title = "A better title"
    monkeypatch.setattr(starter, "version", lambda: "99.0 changed")
    monkeypatch.setattr(starter, "cases", lambda: iter(changed))
    assert starter.ensure_loaded(library)
    with CaseLibrary.open(library.database.url, starter=False) as shown:
        assert shown.get(changed[0].id).title == "A better title"
        kept = shown.get("article-white-image")
        assert [note.text for note in kept.notes] == ["seen here too"]
        assert [fix.fix for fix in kept.fixes] == ["fix.clip-gradients"]
        assert len(shown.get("article-transformer-clip").fixes) == 2
        with pytest.raises(CaseError):
            shown.get("article-rank-desync")
        assert [case.id for case in shown.list()] == ["public-darknet-card"]
        assert [hit.case.id for hit in shown.search("defective card")] == ["public-darknet-card"]


def test_an_older_release_leaves_newer_starter_cases_alone(
    library: CaseLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two releases that share a library do not take turns at rewriting it."""
    monkeypatch.setattr(starter, "version", lambda: "99.0 abc")
    assert starter.ensure_loaded(library)
    monkeypatch.setattr(starter, "version", lambda: "0.1.0 def")
    assert not starter.ensure_loaded(library)


def test_the_files_ship_with_the_package() -> None:
    """The accounts lie beside the code that reads them."""
    assert len(list(Path(starter.__file__).parent.glob("*.yaml"))) >= 6
