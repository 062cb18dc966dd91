"""The recorder keeps its file bounded and outlives a disk that refuses."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from spikelore.probes.evidence import Event, Header, RunDirectory, RunManifest, Step
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.probes.evidence.rundir import Alarm
from spikelore.probes.recorder import Recorder


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", RunManifest("r", 0.0))


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def padded(step: int) -> Step:
    return Step(step, v={"loss": float(step), "note": "x" * 400})


def test_records_reach_the_disk_without_a_close(run: RunDirectory) -> None:
    """A reader sees records while the recorder is open."""
    recorder = Recorder(run.new_evidence_file(0), Header(1, "r"))
    recorder.write(Step(0, v={"loss": 1.0}))
    until(lambda: len(RunEvidence.load(run).primary.steps) == 1)
    recorder.close()


def test_the_file_stays_bounded(run: RunDirectory) -> None:
    """Old steps are thinned evenly, the newest and the steps round an alarm stay whole, events stay."""
    path = run.new_evidence_file(0)
    recorder = Recorder(path, Header(1, "r"), limit=1_000_000, alarms=run.alarms_path)
    run.append_alarm(Alarm("alarm", 1500))
    count = 12_000
    for step in range(count):
        recorder.write(padded(step))
        if step % 1000 == 0:
            recorder.write(Event("epoch.begin", step))
        if step % 200 == 0:
            time.sleep(0.03)
    until(lambda: path.stat().st_size <= 1_600_000)
    recorder.close()
    rank = RunEvidence.load(run).primary
    steps = [record.step for record in rank.steps]
    assert steps == sorted(set(steps))
    assert steps[-1] == count - 1
    assert len(steps) < count / 2
    assert set(range(1300, 1700)) <= set(steps)
    assert set(range(count - 200, count)) <= set(steps)
    assert len(rank.events_named("epoch.begin")) == 12
    assert rank.damaged == 0
    gaps = [b - a for a, b in pairwise(steps)]
    assert max(gaps) <= 64


def test_a_live_reader_survives_the_thinning(run: RunDirectory) -> None:
    """A reader that follows the file ends up with the steps that are in it, none twice."""
    recorder = Recorder(run.new_evidence_file(0), Header(1, "r"), limit=200_000)
    reader = RunEvidence(run)
    for step in range(2_000):
        recorder.write(padded(step))
        if step % 100 == 0:
            time.sleep(0.05)
            reader.poll()
    time.sleep(1.0)
    recorder.close()
    reader.poll()
    steps = [record.step for record in reader.primary.steps]
    assert steps == [record.step for record in RunEvidence.load(run).primary.steps]
    assert len(steps) == len(set(steps)) < 2_000


@pytest.fixture
def small_files() -> object:
    """Writes behind 40 kB fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_files")
def test_a_full_disk_costs_evidence_and_nothing_else(run: RunDirectory) -> None:
    """Writing goes on without an exception, and the file ends with whole lines."""
    path = run.new_evidence_file(0)
    recorder = Recorder(path, Header(1, "r"))
    for step in range(500):
        recorder.write(padded(step))
    recorder.flush()
    recorder.close()
    rank = RunEvidence.load(run).primary
    assert rank.damaged == 0
    assert path.read_bytes().endswith(b"\n")
    assert 0 < len(rank.steps) < 500


def test_space_that_comes_back_is_used_and_the_gap_is_told(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held records are written once the disk takes them; those given up are counted in an event."""
    monkeypatch.setattr("spikelore.probes.recorder.BACKLOG", 100)
    recorder = Recorder(run.new_evidence_file(0), Header(1, "r"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        for step in range(300):
            recorder.write(padded(step))
        recorder.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    recorder.close()
    rank = RunEvidence.load(run).primary
    lost = [event.data["count"] for event in rank.events_named("evidence.lost")]
    assert sum(lost) > 0
    assert sum(lost) + len(rank.steps) == 300
    assert rank.steps[-1].step == 299


def test_a_dead_writer_is_replaced_by_the_job_itself(run: RunDirectory) -> None:
    """When the thread is gone the records still arrive."""
    recorder = Recorder(run.new_evidence_file(0), Header(1, "r"))
    recorder._stopped.set()
    recorder._thread.join()
    recorder._stopped.clear()
    for step in range(200):
        recorder.write(Step(step, v={"loss": 0.0}))
    assert len(RunEvidence.load(run).primary.steps) >= 100
    recorder.close()
    assert len(RunEvidence.load(run).primary.steps) == 200
