from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spikelore.casebase import CaseLibrary, Watcher, record
from spikelore.probes.evidence import Eval, Event, Header, RunDirectory, encode
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.probes.evidence.rundir import Alarm
from spikelore.rules.diagnosis import Diagnosis
from spikelore.rules.rulebase.store import shared_store

from . import samples

ONSET = 600


def spiking(step: int) -> float:
    return 0.5 + 0.01 * (step % 7) if step < ONSET else 5.0 + 0.05 * (step % 5)


def exploding(step: int) -> dict[str, float | int]:
    return {"grad.norm": 1.0 + 0.01 * (step % 3) if step < ONSET - 2 else 300.0, "grad.clip_calls": 0}


class Job:
    """A job that writes evidence when told to."""

    def __init__(self, path: Path, run: str = "live") -> None:
        self.directory = RunDirectory.create(path, samples.manifest(run))
        self._file = self.directory.new_evidence_file(0)
        self._write(encode(Header(1, run)))

    def train(self, first: int, last: int, loss: Callable[[int], float] = spiking) -> None:
        self._write(
            b"".join(samples.step_line(step, loss(step), exploding(step)) for step in range(first, last))
        )

    def tell(self, name: str, data: dict[str, Any], step: int = 0) -> None:
        self._write(encode(Event(name, step, float(step), data)))

    def validate(self, step: int, loss: float) -> None:
        self._write(encode(Eval(step, float(step), step / 100, {"val.loss": loss})))

    def _write(self, content: bytes) -> None:
        with self._file.open("ab") as stream:
            stream.write(content)


def until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for something that another thread does."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("waited in vain")


@pytest.fixture
def library(tmp_path: Path) -> CaseLibrary:
    """A library on SQLite; what the databases do is tested elsewhere."""
    return CaseLibrary.open(f"sqlite:///{tmp_path / 'cases.db'}", starter=False)


def test_a_live_spike_is_alarmed_diagnosed_and_opened(tmp_path: Path, library: CaseLibrary) -> None:
    """While the job runs: the alarm is written, then the diagnosis, and the incident is in the library."""
    job = Job(tmp_path / "run")
    seen: list[Alarm] = []
    told: list[tuple[Diagnosis, str | None]] = []
    watcher = Watcher(
        job.directory,
        library,
        on_alarm=seen.append,
        on_diagnosis=lambda found, incident: told.append((found, incident)),
    )
    with watcher:
        job.train(0, ONSET)
        job.train(ONSET, ONSET + 40)
        until(lambda: told)
        assert threading.active_count() > 1
        alarm = next(alarm for alarm in seen if alarm.level == "alarm")
        assert abs(alarm.step - ONSET) <= 2
        assert job.directory.alarms() == seen
        written = Diagnosis.from_json(job.directory.diagnosis_path.read_bytes())
        assert written.verdict == "spike"
        assert [case.id for case in library.list()] == [told[0][1]] == [watcher.incident]
    assert watcher.problems == []


def test_a_jump_that_comes_back_withdraws_its_alarm(tmp_path: Path, library: CaseLibrary) -> None:
    """Whoever was told of it is told that nothing is wrong, and why; it counts as an alarm no longer."""
    job = Job(tmp_path / "run")
    seen: list[Alarm] = []

    def humped(step: int) -> float:
        return 2.5 if ONSET <= step < ONSET + 12 else 0.5 + 0.01 * (step % 7)

    with Watcher(job.directory, library, on_alarm=seen.append):
        job.train(0, ONSET, humped)
        job.train(ONSET, ONSET + 300, humped)
        until(lambda: seen and seen[-1].level == "withdrawn")
    assert [alarm.level for alarm in seen if alarm.series == "loss"] == ["warning", "alarm", "withdrawn"]
    assert "came back" in seen[-1].reason
    assert "alarm" not in {alarm.level for alarm in job.directory.alarms()}
    assert library.list() == []


def test_a_planned_jump_raises_no_alarm_until_it_proves_a_fault(tmp_path: Path, library: CaseLibrary) -> None:
    """A new head begins at the loss of a beginning: no alarm. Once the loss leaves that, it is one."""
    job = Job(tmp_path / "run")
    seen: list[Alarm] = []

    def staged(step: int) -> float:
        return 6.0 * 0.99**step + 0.5 if step < ONSET else 5.0 if step < ONSET + 40 else 80.0

    with Watcher(job.directory, library, on_alarm=seen.append):
        job.tell("optimizer", {"fresh": 1000, "first": True})
        job.train(0, ONSET, staged)
        job.tell("optimizer", {"fresh": 50, "first": True}, ONSET)
        job.train(ONSET, ONSET + 40, staged)
        until(lambda: any(alarm.level == "withdrawn" for alarm in seen))
        assert "alarm" not in {alarm.level for alarm in seen}
        job.train(ONSET + 40, ONSET + 200, staged)
        job.validate(ONSET + 200, 80.0)
        until(lambda: seen[-1].level == "alarm")
    assert [case.state for case in library.list()] == ["open"]


def test_an_incident_names_framework_and_model(tmp_path: Path, library: CaseLibrary) -> None:
    """Both come from what the job told of itself, as the manifest of a live run has neither."""
    job = Job(tmp_path / "run")
    job.tell("environment", {"versions": {"torch": "2.9", "lightning": "2.5"}})
    for name, size in (("Encoder", 10), ("GPT", 1000)):
        job.tell("model", {"class": name, "parameters": size})
    job.train(0, 700)
    with Watcher(job.directory, library) as watcher:
        until(lambda: watcher.incident)
    case = library.get(watcher.incident or "")
    assert (case.framework, case.model_type) == ("lightning", "GPT")


def test_an_incident_has_its_title_in_both_languages(tmp_path: Path, library: CaseLibrary) -> None:
    """Whoever searches in Chinese finds what was diagnosed in English by the name of its cause."""
    job = Job(tmp_path / "run")
    job.train(0, 700)
    with Watcher(job.directory, library) as watcher:
        until(lambda: watcher.incident)
    case = library.get(watcher.incident or "")
    cause = shared_store().current().causes[case.predicted]
    assert case.title.startswith(cause.title.en)
    assert case.title_zh.startswith(cause.title.zh)
    assert library.search(cause.title.zh)[0].case.id == case.id


def test_later_validation_brings_the_diagnosis_up_to_date(tmp_path: Path, library: CaseLibrary) -> None:
    """A validation loss that comes after the alarm is in the next diagnosis, of the same incident."""
    job = Job(tmp_path / "run")
    job.validate(200, 0.6)
    told: list[Diagnosis] = []
    with Watcher(job.directory, library, on_diagnosis=lambda found, _: told.append(found)):
        for step in (300, 400, 500):
            job.validate(step, 0.6)
        job.train(0, ONSET + 60)
        until(lambda: told)
        job.validate(ONSET + 60, 6.1)
        until(lambda: told[-1].spike is not None and told[-1].spike.val is not None)
    assert len(library.list()) == 1
    assert library.list()[0].val_after == pytest.approx(6.1, rel=0.2)


def test_the_end_of_the_run_is_diagnosed_even_without_an_alarm(tmp_path: Path, library: CaseLibrary) -> None:
    """A healthy run gets its verdict, opens nothing and raises no alarm."""
    job = Job(tmp_path / "run")
    watcher = Watcher(job.directory, library).start()
    job.train(0, 400, lambda step: 1.0 / (1 + step / 100))
    recorded = watcher.finish()
    assert recorded is not None
    assert recorded.incident is None
    assert Diagnosis.from_json(job.directory.diagnosis_path.read_bytes()).verdict == "healthy"
    assert job.directory.alarms() == []
    assert library.list() == []


def test_a_run_that_ends_at_the_spike_is_not_lost(tmp_path: Path, library: CaseLibrary) -> None:
    """Evidence that came after the last look is read at the end."""
    job = Job(tmp_path / "run")
    watcher = Watcher(job.directory, library).start()
    job.train(0, ONSET + 8)
    recorded = watcher.finish()
    assert recorded is not None
    assert recorded.incident == library.list()[0].id
    assert library.get(recorded.incident).window is not None


def test_nothing_ever_reaches_the_caller(tmp_path: Path) -> None:
    """Broken callbacks, a library that is away and a folder that vanished are noted, not raised."""

    def broken(*_: object) -> None:
        raise RuntimeError("callback")

    away = CaseLibrary.open(f"sqlite:///{tmp_path / 'cases.db'}", starter=False)
    away.close()
    (tmp_path / "cases.db").write_text("no longer a library, " * 100)
    job = Job(tmp_path / "run")
    watcher = Watcher(job.directory, away, on_alarm=broken, on_diagnosis=broken).start()
    job.train(0, ONSET + 40)
    watcher.finish()
    assert any("callback" in text for text in watcher.problems)
    assert any("cases.db" in text for text in watcher.problems)
    assert Diagnosis.from_json(job.directory.diagnosis_path.read_bytes()).verdict == "spike"
    assert Watcher(tmp_path / "nowhere").start().finish() is None


def test_a_thinned_file_raises_no_second_alarm(tmp_path: Path, library: CaseLibrary) -> None:
    """The recorder may replace its file by a smaller one; steps already seen do not count again."""
    job = Job(tmp_path / "run")
    with Watcher(job.directory, library) as watcher:
        job.train(0, ONSET + 60)
        until(lambda: watcher.diagnosis)
        before = job.directory.alarms()
        smaller = tmp_path / "smaller"
        lines = job._file.read_bytes().splitlines(keepends=True)
        smaller.write_bytes(b"".join(lines[:1] + lines[1:-80:3] + lines[-80:]))
        smaller.replace(job._file)
        job.train(ONSET + 60, ONSET + 90)
        until(lambda: watcher._feed.last_step >= ONSET + 89)
        assert job.directory.alarms() == before
    assert watcher.problems == []


def test_a_run_diagnosed_afterwards_is_the_same_incident(tmp_path: Path, library: CaseLibrary) -> None:
    """`spikelore diagnose` on a watched run brings its incident up to date."""
    from spikelore.rules import diagnose

    job = Job(tmp_path / "run")
    watcher = Watcher(job.directory, library).start()
    job.train(0, ONSET + 40)
    recorded = watcher.finish()
    run = RunEvidence.load(job.directory)
    again = record(run, diagnose(run), library)
    assert recorded is not None
    assert again.incident == recorded.incident
    assert len(library.list()) == 1


def test_a_nan_loss_alarms_at_once(tmp_path: Path, library: CaseLibrary) -> None:
    """A loss that is no number is an incident with the first batch."""
    job = Job(tmp_path / "run")
    watcher = Watcher(job.directory, library).start()
    job.train(0, 300, lambda step: 0.5 if step < 299 else float("nan"))
    recorded = watcher.finish()
    assert [alarm.after for alarm in job.directory.alarms()] == ["nan"]
    assert recorded is not None
    assert recorded.incident is not None
    assert library.get(recorded.incident).nonfinite


def test_a_bump_that_recovers_is_closed_by_itself(tmp_path: Path, library: CaseLibrary) -> None:
    """What was alarmed and then passed is not left for people to look at; they can still reopen it."""
    job = Job(tmp_path / "run")
    told: list[str | None] = []
    with Watcher(job.directory, library, on_diagnosis=lambda _, incident: told.append(incident)):
        job.train(0, ONSET + 40)
        until(lambda: told)
        job.train(ONSET + 40, ONSET + 900, lambda step: spiking(step % 7))
    incident = library.list()[0]
    assert (incident.state, incident.resolved_by) == ("resolved", "spikelore")
    assert incident.confirmed.startswith("pattern.")
    assert library.unresolve(incident.id).state == "open"


def test_what_moves_before_the_loss_is_a_warning_and_in_the_diagnosis(tmp_path: Path) -> None:
    """Ten steps before the loss jumps the gradient norm leaves its level."""
    job = Job(tmp_path / "run")
    told: list[Diagnosis] = []
    with Watcher(job.directory, on_diagnosis=lambda found, _: told.append(found)):
        early = ONSET - 10
        values = [
            samples.step_line(
                step,
                spiking(step),
                {
                    "grad.norm": 1.0 + 0.01 * (step % 3) if step < early else 40.0 + step % 2,
                    "grad.clip_calls": 0,
                },
            )
            for step in range(ONSET + 40)
        ]
        job._write(b"".join(values[: early + 3]))
        until(job.directory.alarms)
        (warning,) = job.directory.alarms()
        assert (warning.level, warning.series, warning.step) == ("warning", "grad.norm", early)
        assert warning.reason.startswith(
            f"the gradient norm has left its level since step {early}: 1.01 → 40"
        )
        job._write(b"".join(values[early + 3 :]))
        until(lambda: told)
    (moved,) = told[-1].precursors
    assert (moved.quantity, moved.lead) == ("grad.norm", 8)
    assert moved.text == "8 steps before the loss jumped, the gradient norm had left its level: 1.01 → 40"
