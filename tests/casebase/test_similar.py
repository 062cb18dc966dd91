from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spikelore.casebase import Case, CaseLibrary, FixTried
from spikelore.casebase.fingerprint import closeness, shape, shape_likeness
from spikelore.rules.diagnosis import Because

from .samples import EXPLODING, diagnosis, manifest

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@pytest.fixture(scope="module")
def past(shared_library: CaseLibrary) -> CaseLibrary:
    """Three resolved incidents of different evidence."""
    library = shared_library
    for run, cause, facts in (
        ("grad", EXPLODING, {"grad.norm_ratio": 200.0, "grad.clipped": False, "grad.lead": 3}),
        ("rate", "strategy.lr-surge", {"lr.ratio": 1000.0, "lr.jump_lead": 1, "grad.norm_ratio": 90.0}),
        ("data", "data.abnormal-features", {"batch.extreme_ratio": 50.0, "batch.outlier_like": True}),
    ):
        found = diagnosis(run, cause=cause)
        found.causes[0].because = [Because(name, value, "") for name, value in facts.items()]
        found.facts = dict(facts)
        library.resolve(
            library.open_incident(found, manifest(run)), cause, [FixTried(f"fix.{run}", "worked")]
        )
    return library


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"grad.norm_ratio": 150.0, "grad.clipped": False}, EXPLODING),
        ({"lr.ratio": 900.0}, "strategy.lr-surge"),
        ({"batch.outlier_like": True, "batch.extreme_ratio": 80.0}, "data.abnormal-features"),
    ],
)
def test_evidence_finds_its_like(past: CaseLibrary, facts: dict[str, float], cause: str) -> None:
    """Facts alone find the incident that showed the same."""
    assert past.similar(facts)[0].cause == cause


def test_similarity_is_explained(past: CaseLibrary) -> None:
    """A similar incident says which facts agree and which do not, with both values."""
    asked = {"grad.norm_ratio": 150.0, "grad.clipped": True}
    found = next(one for one in past.similar(asked) if one.cause == EXPLODING)
    assert found.agree == ["grad.norm_ratio: 150 now, 200 then"]
    assert found.differ == ["grad.clipped: yes now, no then"]


def test_the_fix_that_worked_is_told(past: CaseLibrary) -> None:
    """A similar incident names what helped."""
    found = past.similar({"lr.ratio": 1000.0})[0]
    assert (found.fix, found.outcome) == ("fix.rate", "worked")


def test_the_same_evidence_scores_one(past: CaseLibrary) -> None:
    """An incident is as like itself as can be, and others less."""
    scores = [
        one.score for one in past.similar({"grad.norm_ratio": 200.0, "grad.clipped": False, "grad.lead": 3})
    ]
    assert scores[0] == pytest.approx(1.0)
    assert scores == sorted(scores, reverse=True)
    assert scores[1] < 0.9


def test_an_incident_is_not_like_itself(past: CaseLibrary) -> None:
    """The incident that is looked for can be left out."""
    facts = {"grad.norm_ratio": 200.0}
    first = past.similar(facts)[0].incident
    assert first not in [one.incident for one in past.similar(facts, without=[first])]


def test_unknown_facts_say_nothing(past: CaseLibrary) -> None:
    """Facts that no incident knows find nothing."""
    assert past.similar({"act.growth": 3.0}) == []


def test_a_case_without_facts_is_found_by_its_cause(library: CaseLibrary) -> None:
    """A case written by hand has no evidence; a diagnosis of its cause still finds it, with a low score."""
    library.add(Case(title="seen before", confirmed=EXPLODING, state="resolved"))
    found = library.similar(diagnosis("new"))
    assert [one.cause for one in found] == [EXPLODING]
    assert 0 < found[0].score < 0.5


@given(NUMBERS, NUMBERS)
def test_closeness_is_symmetric_and_bounded(one: float, other: float) -> None:
    """Whichever value is older, the closeness is the same share."""
    near = closeness(one, other)
    assert 0.0 <= near <= 1.0
    assert near == closeness(other, one)


@given(NUMBERS)
def test_a_value_is_close_to_itself(value: float) -> None:
    """NaN is like NaN here: both losses were undefined."""
    assert closeness(value, value) == 1.0


def test_shape_tells_a_jump_that_stays_from_one_that_recovers() -> None:
    """Curves with the same height and another course are less alike."""
    steps = list(range(100, 400))

    def curve(stays: bool) -> bytes:
        loss = [0.5 if step < 200 or (not stays and step > 230) else 4.0 for step in steps]
        return shape(steps, loss, 200, 0.5)

    same, other = shape_likeness(curve(True), curve(True)), shape_likeness(curve(True), curve(False))
    assert same == 1.0
    assert other is not None
    assert other < 0.6


def test_shape_of_a_loss_that_is_no_number() -> None:
    """NaN stands at the top of the scale."""
    assert shape([10, 11], [1.0, float("nan")], 11, 1.0)[16] == 127


def test_shapes_without_common_points_cannot_be_compared() -> None:
    """A shape of a short run has too few points to say anything."""
    assert shape_likeness(shape([10], [1.0], 10, 1.0), shape([10], [1.0], 10, 1.0)) is None
    assert shape([10], [1.0], 10, 0.0) == b""
