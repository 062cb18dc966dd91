from __future__ import annotations

import pytest
from spikelore.casebase import Case, CaseError, CaseLibrary, FixTried

from .samples import EXPLODING, diagnosis, manifest


@pytest.fixture
def incident(library: CaseLibrary) -> str:
    """An open incident."""
    return library.open_incident(diagnosis(), manifest())


def test_resolving_keeps_cause_fixes_and_note(library: CaseLibrary, incident: str) -> None:
    """A resolved incident says what it was, what was tried with which outcome, and what somebody noted."""
    fixes = [FixTried("fix.clip-gradients", "worked", after=0.31), FixTried("fix.lower-rate", "failed")]
    case = library.resolve(incident, EXPLODING, fixes, "The embedding blew up.", "ann")
    assert (case.state, case.confirmed, case.resolved_by) == ("resolved", EXPLODING, "ann")
    assert [(fix.fix, fix.outcome, fix.before, fix.after, fix.by) for fix in case.fixes] == [
        ("fix.clip-gradients", "worked", 4.8, 0.31, "ann"),
        ("fix.lower-rate", "failed", 4.8, None, "ann"),
    ]
    assert [note.text for note in case.notes] == ["The embedding blew up."]


def test_resolving_is_found_by_search_at_once(library: CaseLibrary, incident: str) -> None:
    """Note, confirmed cause and outcome are searchable as soon as they are written."""
    library.resolve(
        incident, "data.loading-error", [FixTried("", "worked", text="swapped the columns")], "shards"
    )
    for text in ("shards", "columns", "cause:data.loading-error", "outcome:worked", "state:resolved", "加载"):
        assert [hit.case.id for hit in library.search(text)] == [incident], text


def test_undo_takes_back_everything_the_resolving_wrote(library: CaseLibrary, incident: str) -> None:
    """After an undo the incident is as it was before, earlier notes and attempts included."""
    library.note(incident, "seen before")
    library.add_fix(incident, FixTried("fix.warm-up", "failed", by="bob"))
    library.resolve(incident, "data.loading-error", [FixTried("fix.repair-loader", "worked")], "sure", "ann")
    case = library.unresolve(incident)
    assert (case.state, case.confirmed, case.resolved, case.resolved_by) == ("open", "", None, "")
    assert [fix.fix for fix in case.fixes] == ["fix.warm-up"]
    assert [note.text for note in case.notes] == ["seen before"]
    assert not library.search("cause:data.loading-error")


def test_undo_of_an_open_incident_is_refused(library: CaseLibrary, incident: str) -> None:
    """There is nothing to take back."""
    with pytest.raises(CaseError, match="is open"):
        library.unresolve(incident)


@pytest.mark.parametrize("cause", ["", "exploding", "magic.trick", "data."])
def test_a_cause_must_be_of_a_known_family(library: CaseLibrary, incident: str, cause: str) -> None:
    """A mistyped cause is refused with what is valid, and nothing is written."""
    with pytest.raises(CaseError, match=r"valid: FAMILY\.NAME"):
        library.resolve(incident, cause)
    assert library.get(incident).state == "open"


def test_an_outcome_must_be_known(library: CaseLibrary, incident: str) -> None:
    """A mistyped outcome is refused."""
    with pytest.raises(CaseError, match="valid: worked, failed, unknown"):
        library.resolve(incident, EXPLODING, [FixTried("fix.clip-gradients", "works")])  # type: ignore[arg-type]


def test_the_start_of_an_id_suffices(library: CaseLibrary, incident: str) -> None:
    """Ids may be shortened as long as they mean one incident."""
    assert library.get(incident[:6]).id == incident


def test_an_ambiguous_start_names_the_candidates(library: CaseLibrary) -> None:
    """Several incidents that answer to a start are listed."""
    for name in ("case-one", "case-two"):
        library.add(_named(name))
    with pytest.raises(CaseError, match=r"means more than one \(case-one, case-two\)"):
        library.get("case-")


def test_an_unknown_id_says_where_to_look(library: CaseLibrary) -> None:
    """A wrong id leads to the list."""
    with pytest.raises(CaseError, match="cases list"):
        library.get("nothing")


def test_a_person_overrules_an_outcome(library: CaseLibrary, incident: str) -> None:
    """The outcome of an attempt can be corrected; it stays one attempt."""
    case = library.add_fix(incident, FixTried("fix.clip-gradients", "worked", by="ann"))
    wrong = case.fixes[0]
    wrong.outcome = "failed"
    case = library.add_fix(incident, wrong)
    assert [(fix.fix, fix.outcome) for fix in case.fixes] == [("fix.clip-gradients", "failed")]


def test_tags_go_on_and_off(library: CaseLibrary, incident: str) -> None:
    """Tags filter; one taken off no longer does."""
    library.tag(incident, "urgent", "ocr")
    assert [hit.case.id for hit in library.search("tag:ocr")] == [incident]
    assert library.untag(incident, "ocr").tags == ["urgent"]
    assert not library.search("tag:ocr")


def test_a_tag_is_one_word(library: CaseLibrary, incident: str) -> None:
    """A tag with spaces is refused."""
    with pytest.raises(CaseError, match="one word"):
        library.tag(incident, "two words")


def test_attachments_are_kept_once(library: CaseLibrary, incident: str) -> None:
    """The same file attached twice is one attachment, and its content comes back."""
    library.attach(incident, "dmesg.txt", b"Xid 79")
    case = library.attach(incident, "dmesg.txt", b"Xid 79")
    assert [(a.name, a.media, a.size) for a in case.attachments] == [("dmesg.txt", "text/plain", 6)]
    assert library.attachment(incident, case.attachments[0].sha256) == b"Xid 79"


def test_large_attachments_are_refused(library: CaseLibrary, incident: str) -> None:
    """Checkpoints do not belong into the library."""
    with pytest.raises(CaseError, match="valid is up to"):
        library.attach(incident, "model.pt", bytes((4 << 20) + 1))


def _named(name: str) -> Case:
    return Case(id=name, title=name)
