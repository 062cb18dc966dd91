"""The command line, run as users run it: in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from spikelore.probes.evidence import RunDirectory
from spikelore.rules.diagnosis import Diagnosis
from spikelore.tui.cli import PANELS, verbs

from . import samples

HEAVY = {"torch", "textual", "sqlmodel", "sqlalchemy", "pandas"}
TRAIN = """
import sys, torch
torch.set_num_threads(1); torch.manual_seed(0)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
x = torch.randn(64, 4); y = x.sum(1, keepdim=True)
for step in range(160):
    loss = torch.nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    if step == 120:
        with torch.no_grad():
            model.weight += 40
        optimizer.param_groups[0]["lr"] = 1e-6
    print(step, loss.item())
sys.exit(7)
"""


def spikelore(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "spikelore.tui.cli", *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120", **environment},
        stdin=subprocess.DEVNULL,
    )


def loaded_by(*args: str) -> set[str]:
    """Return the modules that a call of the command line has imported when it ends."""
    code = (
        "import sys\nfrom spikelore.tui.cli import main\n"
        f"main({list(args)!r})\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_lists_every_verb_and_imports_none() -> None:
    """The help names each module of the folder and loads neither them nor anything large."""
    done = spikelore("--help")
    assert done.returncode == 0
    assert all(f" {verb} " in done.stdout for verb in verbs())
    modules = loaded_by("--help")
    assert not modules & HEAVY
    assert not {name for name in modules if name.startswith("spikelore.tui.commands.")}


@pytest.mark.parametrize("args", [["runs"], ["search", "nan"], ["cases", "list"], ["ps", "--help"]])
def test_light_verbs_import_nothing_heavy(args: list[str]) -> None:
    """Listing runs and searching cases load no torch, no Textual, no pandas."""
    assert not loaded_by(*args) & {"torch", "textual", "pandas"}


def test_every_verb_belongs_to_a_panel_and_has_help() -> None:
    """Each verb explains itself with --help and stands in one panel of the overview."""
    known = [verb for panel in PANELS.values() for verb in panel]
    assert len(known) == len(set(known))
    assert set(verbs()) <= set(known)


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_verb_explains_itself(verb: str) -> None:
    """`spikelore VERB --help` ends with 0 and shows the usage."""
    done = spikelore(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"spikelore {verb}" in done.stdout


def test_version() -> None:
    """--version prints one line."""
    assert spikelore("--version").stdout.startswith("spikelore 0.")


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["rusn"], "runs"),
        (["frobnicate"], "diagnose"),
        (["runs", "--colour"], "--help"),
        (["diagnose"], "'run'"),
        (["diagnose", "no-such-run"], "no-such-run"),
        (["diagnose", "{file}"], "file.txt"),
        (["run"], "COMMAND"),
        (["run", "--", "no-such-program"], "no-such-program"),
        (["triage"], "terminal"),
        (["attach", "999999999"], "999999999"),
        (["demo", "--cause", "data.nothing"], "data.label-contamination"),
        (["diagnose", "no-such-run", "--lang", "fr"], "en, zh"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(args: list[str], named: str, tmp_path: Path) -> None:
    """A mistake ends in one line on stderr that names what is wrong or valid, never in a traceback."""
    (tmp_path / "file.txt").write_text("nothing that looks like a log\n")
    done = spikelore(*(arg.format(file=tmp_path / "file.txt") for arg in args))
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_defect_leaves_its_traceback_in_a_file(tmp_path: Path) -> None:
    """An unexpected error is one line that names the file with the details."""
    code = (
        "import sys\nfrom spikelore.tui import cli, home\n"
        "home.run_directories = lambda *extra: 1 / 0\n"
        "import spikelore.tui.runs as runs\nruns.run_directories = home.run_directories\n"
        "sys.exit(cli.main(['runs']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    noted = next(tmp_path.glob("spikelore-crash-*.txt"))
    assert str(noted) in done.stderr
    assert "ZeroDivisionError" in noted.read_text()


def test_a_reader_that_goes_away_is_no_error(several: Path) -> None:
    """`spikelore runs | head` ends quietly."""
    for verb in ("--help", "runs", "runs --json", "doctor"):
        line = f"{sys.executable} -m spikelore.tui.cli {verb} | true; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
        assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_runs_as_json(several: Path) -> None:
    """The list of runs has state, last loss and alarm of each, live ones first."""
    rows = json.loads(spikelore("runs", "--json").stdout)
    assert rows[0]["state"] == "running"
    spiked = next(row for row in rows if row["name"] == "resnet-digits")
    assert spiked["alarm"]["step"] == samples.ONSET
    assert next(row for row in rows if row["name"] == "unet-nan")["loss"] == "NaN"


def test_diagnose_finds_the_surge(spiked: RunDirectory) -> None:
    """A real diagnosis of a surged learning rate, as JSON of the published shape; exit code 1 when asked."""
    done = spikelore("diagnose", str(spiked.path), "--json", "--fail-on-spike")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["schema"] == 1
    assert found["verdict"] == "spike"
    assert abs(found["spike"]["step"] - samples.ONSET) <= 2
    assert found["causes"][0]["id"] == "strategy.lr-surge"
    assert {"id", "missing"} <= found["not"][0].keys()
    assert Diagnosis.from_json(done.stdout).causes[0].fixes


def test_diagnose_prints_a_report_in_both_languages(spiked: RunDirectory) -> None:
    """Without --json the report names the verdict, the cause and its fixes, in Chinese where asked."""
    english = spikelore("diagnose", "latest").stdout
    assert "Loss spike" in english
    assert "strategy.lr-surge" in english
    assert "Fix now" in english
    chinese = spikelore("diagnose", "latest", "--lang", "zh").stdout
    assert "损失骤升" in chinese
    assert "立即修复" in chinese


def test_diagnose_takes_any_log(tmp_path: Path) -> None:
    """A CSV log of another tool is diagnosed as it is."""
    log = tmp_path / "log.csv"
    rows = [f"{step},{0.5 + 0.01 * (step % 3) if step < 150 else 6.0}" for step in range(200)]
    log.write_text("step,loss\n" + "\n".join(rows) + "\n")
    done = spikelore("diagnose", str(log), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "spike"


def test_report_is_one_self_contained_page(spiked: RunDirectory, tmp_path: Path) -> None:
    """The page holds plots, causes and fixes and loads nothing from elsewhere."""
    page = tmp_path / "page.html"
    done = spikelore("report", str(spiked.path), "--html", str(page))
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.count("<svg") == 3
    assert "strategy.lr-surge" in text
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "src=" not in text


def test_run_leaves_output_and_exit_code_alone(tmp_path: Path) -> None:
    """The job's stdout and exit code come through, and the run holds every step and the alarm."""
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    plain = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    folder = tmp_path / "run"
    done = spikelore("run", "--run-dir", str(folder), "--name", "toy", "--", sys.executable, str(script))
    assert done.returncode == plain.returncode == 7
    assert done.stdout == plain.stdout
    assert "spikelore" not in done.stderr
    run = RunDirectory.open(folder)
    assert (run.manifest().name, run.manifest().exit_code) == ("toy", 7)
    assert [alarm.level for alarm in run.alarms()][-1] == "alarm"
    assert Diagnosis.from_json(run.diagnosis_path.read_bytes()).verdict == "spike"


def test_alerts_are_single_lines_on_stderr(tmp_path: Path) -> None:
    """With --alerts the alarm is one line on stderr, and one more names the likely cause."""
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    done = spikelore("run", "--alerts", "--run-dir", str(tmp_path / "run"), "--", sys.executable, str(script))
    lines = [line for line in done.stderr.splitlines() if line.startswith("spikelore:")]
    assert sum("loss spike at step" in line for line in lines) == 1
    assert len(lines) <= 2


def test_no_watch_records_only(tmp_path: Path) -> None:
    """Without a watcher the evidence is there and no alarm is raised."""
    script = tmp_path / "train.py"
    script.write_text(TRAIN)
    folder = tmp_path / "run"
    done = spikelore("run", "--no-watch", "--run-dir", str(folder), "--", sys.executable, str(script))
    assert done.returncode == 7
    assert RunDirectory.open(folder).alarms() == []
    assert list(RunDirectory.open(folder).evidence_files())


def test_doctor_reports_without_importing_torch() -> None:
    """Every check has a state, torch's version is told, and torch itself is not imported."""
    done = spikelore("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert {"Python", "torch", "NVML", "ptrace", "Case library", "Terminal"} <= checks.keys()
    assert {check["state"] for check in checks.values()} <= {"ok", "limited", "missing"}
    assert "torch" not in loaded_by("doctor")


def test_settings_stand_for_the_environment(home: Path, tmp_path: Path) -> None:
    """A database named in the settings is the one that a search uses."""
    (home / "settings.yaml").write_text(f"database: sqlite:///{tmp_path}/team.db\n")
    assert spikelore("search", "nan").returncode == 0
    assert (tmp_path / "team.db").exists()


def test_broken_settings_are_named(home: Path) -> None:
    """A settings file with an unknown key ends in one line that lists the valid ones."""
    (home / "settings.yaml").write_text("colour: blue\n")
    done = spikelore("runs")
    assert done.returncode == 2
    assert "theme" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_demo_lists_its_faults() -> None:
    """--list names each fault with its bug."""
    assert "strategy.lr-surge" in json.loads(spikelore("demo", "--list", "--json").stdout)


@pytest.mark.slow
def test_demo_on_paper(home: Path) -> None:
    """Without a terminal the demonstration trains, diagnoses and prints the report."""
    done = spikelore("demo")
    assert done.returncode == 0, done.stderr
    assert "strategy.lr-surge" in done.stdout
    assert len(list((home / "runs").iterdir())) == 1
