"""The run directory is safe to read while it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from spikelore.probes.evidence import EvidenceError, Header, RunDirectory, RunManifest, Step, encode
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.probes.evidence.rundir import Alarm


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "run", RunManifest("r", 0.0))


def test_a_second_run_in_the_same_folder_is_refused(run: RunDirectory) -> None:
    """Two runs never share a directory."""
    with pytest.raises(EvidenceError, match="holds a run already"):
        RunDirectory.create(run.path, RunManifest("s", 0.0))


def test_a_folder_without_manifest_is_no_run(tmp_path: Path) -> None:
    """Opening any other folder says what a run directory is."""
    with pytest.raises(EvidenceError, match=r"run\.json"):
        RunDirectory.open(tmp_path)


def test_a_torn_line_is_read_once_whole(run: RunDirectory) -> None:
    """A reader waits for the rest of a line that is still being written."""
    path = run.new_evidence_file(0)
    line = encode(Step(1, v={"loss": 0.5}))
    path.write_bytes(encode(Header(1, "r")) + encode(Step(0, v={"loss": 1.0})) + line[:10])
    evidence = RunEvidence.load(run)
    assert evidence.primary.series("loss").value.tolist() == [1.0]
    with path.open("ab") as stream:
        stream.write(line[10:])
    assert evidence.poll() == 1
    assert evidence.primary.series("loss").value.tolist() == [1.0, 0.5]


def test_a_damaged_line_is_counted_not_fatal(run: RunDirectory) -> None:
    """A line broken in the middle of the file costs that line only, and is counted."""
    path = run.new_evidence_file(0)
    path.write_bytes(encode(Step(0, v={"loss": 1.0})) + b'{"k":"st\n' + encode(Step(1, v={"loss": 2.0})))
    evidence = RunEvidence.load(run)
    assert evidence.primary.series("loss").value.tolist() == [1.0, 2.0]
    assert evidence.primary.damaged == 1


def test_a_thinned_file_is_read_anew(run: RunDirectory) -> None:
    """When the recorder replaces the file by a thinned one, no step counts twice."""
    path = run.new_evidence_file(0)
    path.write_bytes(b"".join(encode(Step(i, v={"loss": float(i)})) for i in range(10)))
    evidence = RunEvidence.load(run)
    thinned = path.with_suffix(".new")
    thinned.write_bytes(b"".join(encode(Step(i, v={"loss": float(i)})) for i in range(0, 10, 2)))
    thinned.replace(path)
    evidence.poll()
    assert evidence.primary.series("loss").step.tolist() == [0, 2, 4, 6, 8]


def test_a_newer_schema_is_refused_by_name(run: RunDirectory) -> None:
    """Evidence of a later version ends in a sentence that says to upgrade."""
    run.new_evidence_file(0).write_bytes(encode(Header(99, "r")))
    with pytest.raises(EvidenceError, match="schema 99 is newer"):
        RunEvidence.load(run)


def test_processes_of_one_rank_get_files_of_their_own(run: RunDirectory) -> None:
    """A restarted rank never writes into the file of the process before it."""
    first, second = run.new_evidence_file(2), run.new_evidence_file(2)
    assert first != second
    assert [(rank, part) for rank, part, _ in run.evidence_files()] == [(2, 0), (2, 1)]


def test_alarms_are_appended_and_read_back(run: RunDirectory) -> None:
    """Alarms come back in order, a torn last one left out."""
    run.append_alarm(Alarm("warning", 5))
    run.append_alarm(Alarm("alarm", 7, before=0.5, after=6.0))
    with run.alarms_path.open("ab") as stream:
        stream.write(b'{"lev')
    assert [(a.level, a.step) for a in run.alarms()] == [("warning", 5), ("alarm", 7)]
