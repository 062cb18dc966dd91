from __future__ import annotations

import pytest
from spikelore.casebase import CaseError, CaseLibrary, Filters
from spikelore.casebase.values import Window
from spikelore.rules.diagnosis import Diagnosis, Level

from .samples import EXPLODING, diagnosis, manifest


def test_opening_twice_is_one_incident(library: CaseLibrary) -> None:
    """A run has one incident per onset, however often it is opened."""
    first = library.open_incident(diagnosis(), manifest())
    assert library.open_incident(diagnosis(), manifest()) == first
    assert [case.id for case in library.list()] == [first]


def test_an_onset_that_moves_a_little_is_the_same_incident(library: CaseLibrary) -> None:
    """More evidence may place the onset some steps earlier; the incident follows."""
    first = library.open_incident(diagnosis(step=1200), manifest())
    assert library.open_incident(diagnosis(step=1193), manifest()) == first
    assert library.get(first).step == 1193


def test_another_onset_is_another_incident(library: CaseLibrary) -> None:
    """Two faults of one run are two incidents."""
    first = library.open_incident(diagnosis(step=1200), manifest())
    assert library.open_incident(diagnosis(step=9000), manifest()) != first
    assert len(library.list(Filters(run="run-1"))) == 2


def test_the_sole_incident_of_a_run_may_move_far(library: CaseLibrary) -> None:
    """Where the run had one alarm, a later look that finds another onset is of the same incident."""
    first = library.open_incident(diagnosis(step=1200), manifest())
    assert library.open_incident(diagnosis(step=700), manifest(), sole=True) == first
    assert library.get(first).step == 700
    library.resolve(first, EXPLODING)
    assert library.open_incident(diagnosis(step=1500), manifest(), sole=True) != first


def test_onset_by_epoch_only(library: CaseLibrary) -> None:
    """Where only epochs are known, the same epoch is the same incident."""
    first = library.open_incident(diagnosis(step=None), manifest())
    assert library.open_incident(diagnosis(step=None), manifest()) == first
    assert "epoch 13" in library.get(first).title


def test_everything_of_the_diagnosis_is_kept(library: CaseLibrary) -> None:
    """Losses, cause, facts, the diagnosis itself and the evidence window come back as they were."""
    given = diagnosis()
    window = Window([1199, 1200], {"loss": [0.3, "nan"], "lr": [0.1, None]})
    case = library.get(library.open_incident(given, manifest(), window))
    assert (case.train_before, case.train_after, case.predicted) == (0.3, 4.8, EXPLODING)
    assert case.facts["grad.norm_ratio"] == 240.0
    assert case.diagnosis is not None
    assert case.diagnosis.to_json() == given.to_json()
    assert case.window == window


@pytest.mark.parametrize("after", ["nan", "inf", "-inf"])
def test_losses_that_are_no_number_survive(library: CaseLibrary, after: str) -> None:
    """SQLite has no NaN; the library keeps what the loss became all the same."""
    given = diagnosis()
    assert given.spike is not None
    given.spike.train = Level(0.5, after, after)
    given.spike.nonfinite = True
    case = library.get(library.open_incident(given, manifest()))
    assert (case.train_before, case.train_after, case.nonfinite) == (0.5, after, True)


def test_host_and_command_are_kept_without_names(library: CaseLibrary) -> None:
    """The library tells machines apart but does not name them."""
    case = library.get(library.open_incident(diagnosis(), manifest()))
    assert case.host.startswith("host-")
    assert "gpu-box" not in case.host


def test_a_newer_diagnosis_replaces_the_cause(library: CaseLibrary) -> None:
    """The newest diagnosis counts as long as nobody confirmed a cause."""
    first = library.open_incident(diagnosis(), manifest())
    library.open_incident(diagnosis(cause="strategy.lr-surge"), manifest())
    case = library.get(first)
    assert case.cause == "strategy.lr-surge"
    assert library.search("cause:strategy.lr-surge")[0].case.id == first
    assert not library.search(f"cause:{EXPLODING}")


def test_a_confirmed_cause_stays(library: CaseLibrary) -> None:
    """What a person confirmed is not overwritten by a later diagnosis."""
    first = library.open_incident(diagnosis(), manifest())
    library.resolve(first, "data.abnormal-features")
    library.open_incident(diagnosis(cause="strategy.lr-surge"), manifest())
    case = library.get(first)
    assert (case.state, case.cause, case.predicted) == (
        "resolved",
        "data.abnormal-features",
        "strategy.lr-surge",
    )


def test_a_healthy_run_opens_nothing(library: CaseLibrary) -> None:
    """A diagnosis without an onset is refused with a sentence."""
    with pytest.raises(CaseError, match="verdict is 'healthy'"):
        library.open_incident(Diagnosis(run="run-1", verdict="healthy"), manifest())
    assert not library.list()


def test_non_finite_facts_come_back(library: CaseLibrary) -> None:
    """A fact may be infinite; JSON is no excuse."""
    given = diagnosis(ratio=float("inf"))
    given.facts = {}
    case = library.get(library.open_incident(given, manifest()))
    assert case.facts["grad.norm_ratio"] == float("inf")


def test_title_says_what_and_where(library: CaseLibrary) -> None:
    """An incident's title names the cause, the step and the losses, in both languages."""
    case = library.get(library.open_incident(diagnosis(), manifest()))
    assert case.title == "Exploding gradients at step 1,200: training loss 0.3 → 4.8"
    assert "第 1,200 步" in case.title_zh


def test_only_the_newest_diagnoses_are_kept(library: CaseLibrary) -> None:
    """A run that is diagnosed again and again does not fill the library."""
    for ratio in range(15):
        incident = library.open_incident(diagnosis(ratio=100.0 + ratio), manifest())
    with library.database.reader() as reader:
        assert reader.value("SELECT count(*) FROM diagnosis") == 10
    newest = library.get(incident).diagnosis
    assert newest is not None
    assert newest.facts["grad.norm_ratio"] == 114.0
