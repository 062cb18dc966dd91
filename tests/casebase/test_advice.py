from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spikelore.casebase import CaseLibrary, FixTried
from spikelore.casebase.advice import wilson
from spikelore.casebase.lineage import lineage_of

from .samples import EXPLODING, diagnosis, manifest


def remember(
    library: CaseLibrary, fix: FixTried, times: int, cause: str = EXPLODING, job: str = "other"
) -> None:
    """Resolve so many incidents of one cause with one fix."""
    for number in range(times):
        run = f"{job}-{fix.fix}-{fix.outcome}-{number}"
        about = manifest(run, command=["python", f"{job}.py"])
        incident = library.open_incident(diagnosis(run, cause=cause), about)
        library.resolve(incident, cause, [FixTried(fix.fix, fix.outcome, text=fix.text)])


def order(library: CaseLibrary, **given_: object) -> list[tuple[str, int, int]]:
    """Return the fixes as advised, with how often each worked and was tried."""
    advised = library.advise(diagnosis("new", **given_))  # type: ignore[arg-type]
    return [(fix.id, fix.worked, fix.tried) for fix in advised.causes[0].fixes]


@given(st.integers(0, 500), st.integers(0, 500))
def test_wilson_bound_is_below_the_rate(worked: int, failed: int) -> None:
    """The lower bound lies between zero and the observed rate."""
    tried = worked + failed
    assert 0.0 <= wilson(worked, tried) <= (worked / tried if tried else 0.0) + 1e-12


def test_wilson_bound_of_known_counts() -> None:
    """Values of Wilson's interval as tables give them."""
    assert wilson(2, 2) == pytest.approx(0.3424, abs=1e-4)
    assert wilson(19, 20) == pytest.approx(0.7639, abs=1e-4)


def test_nineteen_of_twenty_beats_two_of_two(library: CaseLibrary) -> None:
    """Few successes are weaker evidence than many with one failure."""
    remember(library, FixTried("fix.clip-gradients", "worked"), 2)
    remember(library, FixTried("fix.lower-rate", "worked"), 19)
    remember(library, FixTried("fix.lower-rate", "failed"), 1)
    assert order(library) == [("fix.lower-rate", 19, 20), ("fix.clip-gradients", 2, 2)]


def test_without_a_past_the_rules_decide(library: CaseLibrary) -> None:
    """Where nothing is known the fixes stay in the rules' order."""
    assert order(library) == [("fix.clip-gradients", 0, 0), ("fix.lower-rate", 0, 0)]


def test_one_failure_puts_a_fix_behind_an_untried_one(library: CaseLibrary) -> None:
    """The rules' word counts for more than a fix that never worked."""
    remember(library, FixTried("fix.clip-gradients", "failed"), 1)
    assert order(library) == [("fix.lower-rate", 0, 0), ("fix.clip-gradients", 0, 1)]


def test_outcomes_of_other_causes_do_not_count(library: CaseLibrary) -> None:
    """What helped against something else is no evidence here."""
    remember(library, FixTried("fix.lower-rate", "worked"), 5, cause="strategy.lr-surge")
    assert order(library)[0] == ("fix.clip-gradients", 0, 0)


def test_unknown_outcomes_do_not_count(library: CaseLibrary) -> None:
    """An attempt whose end nobody noted is neither success nor failure."""
    remember(library, FixTried("fix.lower-rate", "unknown"), 3)
    assert order(library)[1] == ("fix.lower-rate", 0, 0)


def test_long_term_fixes_stay_behind_emergency_ones(library: CaseLibrary) -> None:
    """What stops the damage now comes first, however well the lasting cure does."""
    remember(library, FixTried("fix.lower-rate", "worked"), 5)
    given_ = diagnosis("new")
    given_.causes[0].fixes[1].when = "for-good"
    advised = library.advise(given_)
    assert [fix.id for fix in advised.causes[0].fixes] == ["fix.clip-gradients", "fix.lower-rate"]


def test_a_fix_that_people_found_is_offered(library: CaseLibrary) -> None:
    """What worked before is advised although no rule knows it, in the words of who wrote it."""
    remember(library, FixTried("", "worked", text="Removed the second softmax."), 3)
    advised = library.advise(diagnosis("new"))
    first = advised.causes[0].fixes[0]
    assert (first.text, first.worked, first.tried) == ("Removed the second softmax.", 3, 3)


def test_a_fix_that_failed_on_this_job_goes_last_and_is_said(library: CaseLibrary) -> None:
    """The same job does not walk into the same failure unwarned."""
    remember(library, FixTried("fix.clip-gradients", "worked"), 9)
    remember(library, FixTried("fix.clip-gradients", "failed"), 1, job="mine")
    lineage = lineage_of(manifest("x", command=["python", "mine.py"]))
    advised = library.advise(diagnosis("new"), lineage=lineage)
    assert [fix.id for fix in advised.causes[0].fixes] == ["fix.lower-rate", "fix.clip-gradients"]
    assert any(
        "fix.clip-gradients was tried on this job before and failed" in text for text in advised.warnings
    )


def test_advice_twice_is_the_same(library: CaseLibrary) -> None:
    """Asking again changes nothing."""
    remember(library, FixTried("fix.lower-rate", "worked"), 2)
    once = library.advise(diagnosis("new")).to_json()
    given_ = diagnosis("new")
    library.advise(given_)
    assert library.advise(given_).to_json() == once


def test_similar_incidents_are_named(library: CaseLibrary) -> None:
    """A diagnosis carries the incidents that its advice rests on, its own left out."""
    remember(library, FixTried("fix.lower-rate", "worked"), 3)
    own = library.open_incident(diagnosis("new"), manifest("new"))
    advised = library.advise(diagnosis("new"), incident=own)
    assert len(advised.similar) == 3
    assert own not in [one.incident for one in advised.similar]
