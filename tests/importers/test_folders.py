"""Folders of runs: what is found, and an import that nothing stops."""

import json
import os
import signal

import pytest
from spikelore.probes.importers import find_logs, import_all
from spikelore.probes.importers.folders import target_names

from .binary import event, event_file, simple_value

CSV = "step,loss\n1,2.5\n2,2.25\n"


def write(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_every_log_of_a_tree_is_a_run(tmp_path):
    """Sources, weights and notes beside the logs are left alone."""
    write(
        tmp_path,
        {
            "a/metrics.csv": CSV,
            "b/log.txt": "iter 1: loss 2.5\niter 2: loss 2.25\n",
            "b/train.py": "print('loss: 0.5')\n",
            "b/weights.pt": "loss 0.5\n" * 99,
            "c/notes.txt": "nothing to see here\n",
            ".git/logs.csv": CSV,
        },
    )
    found = find_logs(tmp_path)
    assert [log.path.relative_to(tmp_path).as_posix() for log in found.logs] == ["a/metrics.csv", "b/log.txt"]
    assert [path.name for path in found.unknown] == ["notes.txt"]


def test_several_logs_of_one_run_are_read_once(tmp_path):
    """A trainer writes its state, a table and event files; the state says most."""
    state = {"log_history": [{"loss": 2.5, "step": 1}, {"loss": 2.25, "step": 2}]}
    write(tmp_path, {"run/trainer_state.json": json.dumps(state), "run/metrics.csv": CSV})
    event_file(tmp_path / "run" / "events.out.tfevents.1.x", [event(1, simple_value("loss", 2.5), 1.6e9)])
    found = find_logs(tmp_path)
    assert [log.path.name for log in found.logs] == ["trainer_state.json"]
    assert len(found.copies) == 2


def test_logs_of_one_format_are_runs_of_their_own(tmp_path):
    """A folder of results holds a file for each run."""
    write(tmp_path, {f"lr-{i}.csv": CSV for i in range(5)})
    assert len(find_logs(tmp_path).logs) == 5


def test_only_the_last_checkpoint_is_read(tmp_path):
    """Each checkpoint repeats the history so far."""
    for number in (100, 200, 1000):
        history = [{"loss": 2.5, "step": step} for step in range(100, number + 1, 100)]
        write(tmp_path, {f"out/checkpoint-{number}/trainer_state.json": json.dumps({"log_history": history})})
    found = find_logs(tmp_path)
    assert [log.path.parent.name for log in found.logs] == ["checkpoint-1000"]
    assert len(found.copies) == 2


def test_runs_already_recorded_are_left_alone(tmp_path):
    """A run directory holds evidence, which is no log."""
    write(tmp_path, {"mine/run.json": "{}", "mine/evidence/x.csv": CSV, "other.csv": CSV})
    assert [log.path.name for log in find_logs(tmp_path).logs] == ["other.csv"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_bad_files_stop_nothing(jobs, tmp_path):
    """Each log has an outcome, in order, with a result or a reason."""
    write(tmp_path, {"a.csv": CSV, "b.csv": "", "c.csv": "hello\n", "d.csv": CSV, "e.json": "{"})
    logs = [
        (tmp_path / name, tmp_path / "runs" / name)
        for name in ("a.csv", "b.csv", "c.csv", "d.csv", "e.json", "f")
    ]
    seen = []
    outcomes = import_all(logs, jobs=jobs, done=seen.append)
    assert [bool(outcome.result) for outcome in outcomes] == [True, False, False, True, False, False]
    assert "empty" in outcomes[1].reason
    assert "no such file" in outcomes[5].reason
    assert len(seen) == 6
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["a.csv", "d.csv"]


def killed(log, target, mapping):
    """Stand in for an import that the system kills for its memory."""
    if log.name == "b.csv":
        os.kill(os.getpid(), signal.SIGKILL)
    from spikelore.probes.importers.folders import attempt

    return attempt(log, target, mapping)


def test_a_killed_process_costs_one_log(tmp_path, monkeypatch):
    """The log that killed its reader is named; the others are imported all the same."""
    monkeypatch.setattr("spikelore.probes.importers.folders.attempt", killed)
    killed.__module__ = __name__
    write(tmp_path, {f"{name}.csv": CSV for name in "abc"})
    logs = [(tmp_path / f"{name}.csv", tmp_path / "runs" / name) for name in "abc"]
    outcomes = import_all(logs, jobs=2)
    assert [bool(outcome.result) for outcome in outcomes] == [True, False, True]
    assert "killed" in outcomes[1].reason


def test_run_names_are_readable_and_unique(tmp_path):
    """Names come from the paths below the folder that was given."""
    write(tmp_path, {"a/log.txt": "x", "a b/log.txt": "x", "a-b/log.txt": "x"})
    paths = [tmp_path / name / "log.txt" for name in ("a", "a b", "a-b")]
    assert target_names(paths, tmp_path) == ["a-log", "a-b-log", "a-b-log-2"]
