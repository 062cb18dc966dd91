"""``spikelore import`` as a user types it."""

import io
import json
import sys

import pytest
from spikelore.tui import cli

CSV = "step,train_ce,loss\n1,7,2.5\n2,6,2.25\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_log_becomes_a_run_of_the_home_folder(tmp_path, home, capsys):
    """The result names the run, the format, the loss and the next step."""
    (tmp_path / "mine.csv").write_text(CSV)
    assert cli.main(["import", str(tmp_path / "mine.csv")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Read 2 points as csv" in shown
    assert "Loss: loss." in shown
    assert (home / "runs" / "mine" / "run.json").exists()


def test_json_says_all(tmp_path, capsys):
    """A script learns what was read, what not, and where it is."""
    (tmp_path / "mine.csv").write_text(CSV + "x,y,z,too,many\n")
    run = tmp_path / "run"
    assert (
        cli.main(
            ["import", str(tmp_path / "mine.csv"), "--run-dir", str(run), "--map", "loss=train_ce", "--json"]
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["directory"] == str(run)
    assert told["columns"]["loss"] == "train_ce"
    assert (told["points"], told["unread"]) == (2, 1)
    assert told["examples"] == [["line 4", "x,y,z,too,many"]]


def test_standard_input(tmp_path, capsys, monkeypatch):
    """A log may come through a pipe."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"iter 1: loss 2.5\niter 2: loss 2.25\n")))
    assert cli.main(["import", "-", "--run-dir", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "nanogpt"


def test_a_folder_is_many_runs(tmp_path, capsys):
    """Good ones are counted by format, bad ones are listed with their reason."""
    logs = tmp_path / "logs"
    for name, content in {"a/x.csv": CSV, "b/y.csv": CSV, "c/z.csv": "step,loss\n1,abc\n2,def\n"}.items():
        (logs / name).parent.mkdir(parents=True)
        (logs / name).write_text(content)
    assert cli.main(["import", str(logs), "--run-dir", str(tmp_path / "runs"), "--jobs", "1"]) == 0
    shown = capsys.readouterr().out
    assert "csv" in shown
    assert "z.csv" in shown
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["a-x", "b-y"]


def test_parts_of_one_run(tmp_path, capsys):
    """A run that was logged into several files is one run when the user says so."""
    for index in range(2):
        (tmp_path / f"part-{index}.csv").write_text(
            f"step,loss\n{index * 10 + 1},2.5\n{index * 10 + 2},2.25\n"
        )
    files = [str(tmp_path / f"part-{index}.csv") for index in range(2)]
    assert cli.main(["import", *files, "--one-run", "--run-dir", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["points"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "missing.csv: no such file"),
        (["{log}", "--map", "loss"], "valid is quantity=column"),
        (["{log}", "--map", "loss=nothing"], "no column 'nothing'"),
        (["{empty}"], "the file is empty"),
    ],
)
def test_errors_are_one_line_and_exit_2(arguments, message, tmp_path, capsys):
    """The line names the place, the problem and what is valid."""
    (tmp_path / "log.csv").write_text(CSV)
    (tmp_path / "empty.csv").write_text("")
    places = {"log": tmp_path / "log.csv", "empty": tmp_path / "empty.csv"}
    assert cli.main(["import", *(argument.format(**places) for argument in arguments)]) == 2
    told = capsys.readouterr().err.strip()
    assert message in told
    assert "\n" not in told
