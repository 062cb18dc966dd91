from __future__ import annotations

from pathlib import Path

import pytest
from spikelore.casebase import CaseLibrary, FixTried, record
from spikelore.casebase.lineage import lineage_of
from spikelore.probes.evidence import Event
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.rules.diagnosis import Diagnosis, Spike

from .samples import EXPLODING, diagnosis, manifest, run_directory

ONSET = 300
CLIPPED = {"grad.clip_calls": 1, "grad.clip_max_norm": 1.0, "lr": 0.1}
UNCLIPPED = {"grad.clip_calls": 0, "lr": 0.1}


def spiking(step: int) -> float:
    return 0.5 if step < ONSET else 5.0


def steady(step: int) -> float:
    return 0.4


HEALTHY = Diagnosis(run="later", verdict="healthy")


@pytest.fixture
def incident(library: CaseLibrary, tmp_path: Path) -> str:
    """The incident of a first, unclipped run."""
    run = run_directory(tmp_path / "first", manifest("first"), spiking, 500, lambda step: dict(UNCLIPPED))
    recorded = record(RunEvidence.load(run), diagnosis("first", step=ONSET), library)
    assert recorded.incident is not None
    return recorded.incident


def later(
    tmp_path: Path,
    library: CaseLibrary,
    found: Diagnosis = HEALTHY,
    steps: int = 500,
    values: dict[str, float | int] = CLIPPED,
    events: tuple[Event, ...] = (),
    **changes: object,
) -> list[str]:
    """Record a later run of the job and return what it settled."""
    about = manifest("later", created=2000.0, **changes)
    run = run_directory(tmp_path / "later", about, steady, steps, lambda step: dict(values), events)
    return record(RunEvidence.load(run), found, library).settled


def attempts(library: CaseLibrary, incident: str) -> list[tuple[str, str, str, object, object]]:
    return [(fix.fix, fix.outcome, fix.decided, fix.before, fix.after) for fix in library.get(incident).fixes]


def test_a_run_that_passes_the_spike_marks_the_noted_fix_as_worked(
    library: CaseLibrary, incident: str, tmp_path: Path
) -> None:
    """The fix that a person noted as tried is settled by the run that carries it, with before and after."""
    library.resolve(incident, EXPLODING, [FixTried("fix.clip-gradients", "unknown", by="ann")])
    settled = later(tmp_path, library)
    assert settled == [f"incident {incident}: fix.clip-gradients worked"]
    assert attempts(library, incident) == [("fix.clip-gradients", "worked", "run", 4.8, 0.4)]
    fix = library.get(incident).fixes[0]
    assert (fix.run, fix.by) == ("later", "ann")


def test_a_run_that_spikes_again_marks_it_failed(library: CaseLibrary, incident: str, tmp_path: Path) -> None:
    """The same cause again means that the fix did not help."""
    library.resolve(incident, EXPLODING, [FixTried("fix.clip-gradients", "unknown")])
    later(tmp_path, library, diagnosis("later", step=ONSET + 4))
    assert attempts(library, incident)[0][:3] == ("fix.clip-gradients", "failed", "run")


def test_a_spike_later_on_of_another_cause_does_not_count_against_it(
    library: CaseLibrary, incident: str, tmp_path: Path
) -> None:
    """The place was passed; what came afterwards is another matter."""
    library.resolve(incident, EXPLODING, [FixTried("fix.clip-gradients", "unknown")])
    later(tmp_path, library, diagnosis("later", step=450, cause="data.loading-error"))
    assert attempts(library, incident)[0][1] == "worked"


def test_a_run_that_is_not_there_yet_settles_nothing(
    library: CaseLibrary, incident: str, tmp_path: Path
) -> None:
    """Before the step of the spike nothing is known."""
    library.resolve(incident, EXPLODING, [FixTried("fix.clip-gradients", "unknown")])
    assert later(tmp_path, library, steps=ONSET + 5) == []
    assert attempts(library, incident)[0][1] == "unknown"


def test_a_fix_that_the_run_does_not_carry_is_left_open(
    library: CaseLibrary, incident: str, tmp_path: Path
) -> None:
    """A run without clipping says nothing about clipping, but about what it does instead."""
    library.resolve(incident, EXPLODING, [FixTried("fix.clip-gradients", "unknown")])
    later(tmp_path, library, values={"grad.clip_calls": 0, "lr": 0.001})
    assert {row[:2] for row in attempts(library, incident)} == {
        ("fix.clip-gradients", "unknown"),
        ("fix.lower-rate", "worked"),
    }


def test_what_nobody_noted_is_found_in_the_evidence(
    library: CaseLibrary, incident: str, tmp_path: Path
) -> None:
    """Clipping that is new in the later run is the fix, without anybody writing it down."""
    later(tmp_path, library)
    assert [row[:3] for row in attempts(library, incident)] == [("fix.clip-gradients", "worked", "run")]
    assert "clipped at 1" in library.get(incident).fixes[0].text


@pytest.mark.parametrize(
    ("name", "wrong", "right", "fix"),
    [
        ("mode.train", 0, 1, "fix.call-train"),
        ("grad.zeroed", 0, 1, "fix.zero-gradients"),
        ("grad.clip_scaled", 1, 0, "fix.unscale-before-clip"),
    ],
)
def test_what_was_switched_wrongly_and_is_right_now_is_the_fix(
    library: CaseLibrary, tmp_path: Path, name: str, wrong: int, right: int, fix: str
) -> None:
    """A quantity that has its sound value now and had another round the spike tells what was repaired."""
    run = run_directory(tmp_path / "first", manifest("first"), spiking, 500, lambda step: {name: wrong})
    incident = record(RunEvidence.load(run), diagnosis("first", step=ONSET), library).incident
    assert incident is not None
    later(tmp_path, library, values={name: right})
    assert [row[:2] for row in attempts(library, incident)] == [(fix, "worked")]


def test_changed_code_and_settings_are_told(library: CaseLibrary, tmp_path: Path) -> None:
    """Where no fix is recognised, the difference of the two runs is."""
    first = manifest("first", git={"commit": "a" * 40}, settings={"width": 16})
    run = run_directory(tmp_path / "first", first, spiking, 500, lambda step: dict(UNCLIPPED))
    incident = record(RunEvidence.load(run), diagnosis("first", step=ONSET), library).incident
    assert incident is not None
    later(tmp_path, library, values=UNCLIPPED, git={"commit": "b" * 40}, settings={"width": 32})
    texts = [fix.text for fix in library.get(incident).fixes]
    assert texts == ["Settings: width 16 → 32.", "Code: commit aaaaaaaaaa → bbbbbbbbbb."]


def test_the_same_run_again_without_a_spike_is_told_as_such(
    library: CaseLibrary, incident: str, tmp_path: Path
) -> None:
    """Nothing changed and no spike: a passing fault, and running again was the cure."""
    later(tmp_path, library, values=UNCLIPPED)
    assert [row[:2] for row in attempts(library, incident)] == [("fix.run-again", "worked")]


def test_recording_twice_settles_once(library: CaseLibrary, incident: str, tmp_path: Path) -> None:
    """A run that is diagnosed again does not add another attempt."""
    later(tmp_path, library)
    run = RunEvidence.load(tmp_path / "later")
    record(run, HEALTHY, library)
    assert len(attempts(library, incident)) == 1


def test_people_overrule_and_their_word_stands(library: CaseLibrary, incident: str, tmp_path: Path) -> None:
    """Once a person says that it failed, no later run changes that."""
    later(tmp_path, library)
    fix = library.get(incident).fixes[0]
    library.add_fix(incident, FixTried(fix.fix, "failed", by="ann", id=fix.id))
    record(RunEvidence.load(tmp_path / "later"), HEALTHY, library)
    assert attempts(library, incident)[0][:3] == ("fix.clip-gradients", "failed", "person")


def test_another_job_settles_nothing(library: CaseLibrary, incident: str, tmp_path: Path) -> None:
    """A run of another program is no evidence."""
    assert later(tmp_path, library, command=["python", "other.py"]) == []


def test_an_earlier_run_settles_nothing(library: CaseLibrary, incident: str, tmp_path: Path) -> None:
    """Only a run that began after the incident's run can carry its fix."""
    about = manifest("before", created=500.0)
    run = run_directory(tmp_path / "before", about, steady, 500, lambda step: dict(CLIPPED))
    assert record(RunEvidence.load(run), HEALTHY, library).settled == []


def test_a_known_outcome_is_not_told_by_every_later_run(
    library: CaseLibrary, incident: str, tmp_path: Path
) -> None:
    """Where it is known what worked, healthy runs add nothing."""
    library.resolve(incident, EXPLODING, [FixTried("fix.clip-gradients", "worked")])
    assert later(tmp_path, library) == []
    assert len(attempts(library, incident)) == 1


def test_a_resumed_run_counts_on_from_its_checkpoint(library: CaseLibrary, tmp_path: Path) -> None:
    """A run that continues from a checkpoint of the first is linked by its hash, and its steps count on."""
    saved = Event("checkpoint.save", 250, data={"path": "c.pt", "sha256": "f" * 64})
    run = run_directory(
        tmp_path / "first", manifest("first"), spiking, 500, lambda s: dict(UNCLIPPED), (saved,)
    )
    incident = record(RunEvidence.load(run), diagnosis("first", step=ONSET), library).incident
    assert incident is not None
    loaded = Event("checkpoint.load", 0, data={"path": "c.pt", "sha256": "f" * 64})
    settled = later(tmp_path, library, steps=100, events=(loaded,), command=["python", "renamed.py"])
    assert settled == [f"incident {incident}: fix.clip-gradients worked"]


def test_epoch_level_incidents_are_settled_by_epochs(library: CaseLibrary, tmp_path: Path) -> None:
    """Where only the epoch is known, a run that is two epochs further has passed."""
    run = run_directory(tmp_path / "first", manifest("first"), spiking, 500, lambda step: dict(UNCLIPPED))
    found = diagnosis("first", step=None)
    found.spike = Spike(None, 2.0, None, None, None, False, False)
    incident = record(RunEvidence.load(run), found, library).incident
    assert incident is not None
    later(tmp_path, library)
    assert attempts(library, incident)[0][:2] == ("fix.clip-gradients", "worked")


SAME = [
    ["python", "/home/ann/job/train.py", "--lr", "0.1"],
    ["/opt/conda/bin/python3.11", "train.py", "--lr=0.001", "--epochs", "5"],
    ["torchrun", "--nproc-per-node", "4", "train.py", "--lr", "1"],
    ["python", "-u", "train.py", "lr=0.3", "seed=1"],
    ["env", "CUDA_VISIBLE_DEVICES=0", "python", "train.py", "--amp"],
]


@pytest.mark.parametrize("command", SAME)
def test_hyper_parameters_and_launchers_do_not_make_another_job(command: list[str]) -> None:
    """The same program in the same project is the same job."""
    assert key(command) == key(SAME[0]) != ""


@pytest.mark.parametrize(
    "command",
    [
        ["python", "evaluate.py"],
        ["python", "-m", "job.train"],
        ["python", "train.py", "finetune"],
        ["python", "-c", "x"],
    ],
)
def test_another_program_or_sub_command_is_another_job(command: list[str]) -> None:
    """What is run, and its sub-command, tell jobs apart."""
    assert key(command) != key(SAME[0])


def test_without_a_command_there_is_no_job() -> None:
    """Imported logs belong to no job, so they never settle each other's fixes."""
    assert key([]) == ""


def key(command: list[str]) -> str:
    return lineage_of(manifest("x", command=command))
