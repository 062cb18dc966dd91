"""The verbs ``rules list, show, new, check, test, backtest, schema``."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from spikelore.casebase import CaseLibrary
from spikelore.casebase.healthy import keep
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.rules import diagnose
from spikelore.tui import language
from spikelore.tui.cli import main

from .samples import EXPLODING, diagnosis, manifest, run_directory

NEW = ("rules", "new", "norm-doubles", "--cause", EXPLODING, "--when", "grad.norm_ratio >= 2")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test, with the team's rules in ``team``."""
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path))
    monkeypatch.setenv("SPIKELORE_RULES", str(tmp_path / "team"))
    monkeypatch.setenv("SPIKELORE_LANG", "en")
    monkeypatch.setenv("SPIKELORE_STARTER", "0")
    monkeypatch.delenv("SPIKELORE_DB", raising=False)
    (tmp_path / "team").mkdir()
    return tmp_path


@pytest.fixture
def incident(home: Path) -> str:
    """A resolved incident with a gradient norm of 240 times the usual, and a healthy run beside it."""
    healthy = RunEvidence.load(
        run_directory(home / "fine", manifest("fine", state="finished"), lambda step: 1 + 1 / (step + 1))
    )
    with CaseLibrary.open(f"sqlite:///{home / 'cases.db'}") as library:
        identifier = library.open_incident(diagnosis(), manifest())
        library.resolve(identifier, EXPLODING)
        keep(library, healthy, diagnose(healthy))
    return identifier


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a verb and return its output, or its one line of complaint."""
    capsys.readouterr()
    assert main(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.err if code == 2 else captured.out


def test_list_shows_what_is_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    """Also the team's, marked as such for machines."""
    run(capsys, *NEW)
    rows = {row["id"]: row for row in json.loads(run(capsys, "rules", "list", "--json"))}
    assert rows["norm-doubles"]["team"]
    assert rows["norm-doubles"]["status"] == "draft"
    assert not rows["lr-jump-in-log"]["team"]
    assert "norm-doubles" in run(capsys, "rules", "list")


def test_show_prints_the_file_and_else_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Rules, causes and fixes alike."""
    for name in ("lr-jump-in-log", EXPLODING, "fix.clip-gradients"):
        assert f"id: {name}" in run(capsys, "rules", "show", name)
    assert "did you mean lr-jump-in-log" in run(capsys, "rules", "show", "lr-jump-in-logs", code=2)


def test_a_new_rule_is_checked_tested_and_written_to_the_team(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    """The file passes check and test, says why in words, and tells editors its schema."""
    out = run(
        capsys, *NEW, "--unless", "batch.normal = false", "--title", "Norm doubles", "--why", "It does."
    )
    path = home / "team" / "norm-doubles.yaml"
    assert str(path) in out
    assert "spikelore rules test norm-doubles" in out
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    schema = json.loads((path.parent / first.partition("=")[2]).read_text(encoding="utf-8"))
    assert set(yaml.safe_load(text)) <= schema["properties"].keys()
    assert "; 0 broken" in run(capsys, "rules", "check")
    assert run(capsys, "rules", "test", "norm-doubles") == "2 cases, 0 failed\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rules", "new"), "no id for the rule"),
        (("rules", "new", "mine"), "--cause"),
        (("rules", "new", "mine", "--cause", "model.exploding-gradient"), "did you mean model.exploding"),
        (("rules", "new", "mine", "--cause", EXPLODING), "--when"),
        (
            ("rules", "new", "mine", "--cause", EXPLODING, "--when", "grad.norm_ration > 3"),
            "did you mean grad.norm_ratio",
        ),
        (("rules", "new", "mine", "--cause", EXPLODING, "--when", "grad.norm_ratio big"), "no condition"),
        (("rules", "new", "mine", "--cause", EXPLODING, "--when", "grad.norm_ratio >= -1"), "always holds"),
        (("rules", "new", "Mine", "--cause", EXPLODING, "--when", "lr.jump > 3"), "lower case words"),
        (
            ("rules", "new", "lr-jump-in-log", "--cause", EXPLODING, "--when", "lr.jump > 3"),
            "is there already",
        ),
        (("rules", "new", "mine", "--from", "nothing"), "nothing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-",
)
def test_what_is_missing_or_wrong_is_said_and_nothing_written(
    capsys: pytest.CaptureFixture[str], home: Path, arguments: tuple[str, ...], said: str
) -> None:
    """One line that says what is valid; no file is left behind."""
    assert said in run(capsys, *arguments, code=2)
    assert list((home / "team").glob("*.yaml")) == []


def test_a_terminal_is_asked_for_what_is_missing(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A condition that is none is told and asked for again."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answers = [
        "mine",
        EXPLODING,
        "grad.norm > 3",
        "grad.norm_ratio > 3",
        "y",
        "lr.jump < 2",
        "n",
        "It sees.",
        "",
    ]
    monkeypatch.setattr(sys, "stdin", Terminal("\n".join(answers) + "\n"))
    assert main(["rules", "new"]) == 0
    assert "no fact is named 'grad.norm'" in capsys.readouterr().err
    document = yaml.safe_load((home / "team" / "mine.yaml").read_text())
    assert document["when"] == [{"fact": "grad.norm_ratio", "gt": 3.0}, {"fact": "lr.jump", "lt": 2.0}]
    assert document["summary"] == "It sees."


def test_the_settings_name_the_teams_directories(
    capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the environment names none; new rules go to the last of them."""
    monkeypatch.delenv("SPIKELORE_RULES")
    (home / "settings.yaml").write_text(f"rules: ['{home / 'a'}', '{home / 'b'}']\n")
    try:
        assert str(home / "b" / "norm-doubles.yaml") in run(capsys, *NEW)
        rows = json.loads(run(capsys, "rules", "list", "--json"))
        assert "norm-doubles" in {row["id"] for row in rows}
    finally:
        os.environ.pop("SPIKELORE_RULES", None)


def test_a_rule_is_drawn_from_an_incident(
    capsys: pytest.CaptureFixture[str], home: Path, incident: str
) -> None:
    """What sets it apart from the healthy run becomes its condition, its cause the conclusion."""
    run(capsys, "rules", "new", "drawn", "--from", incident)
    document = yaml.safe_load((home / "team" / "drawn.yaml").read_text())
    assert document["cause"] == EXPLODING
    (condition,) = document["when"]
    assert condition["fact"] == "grad.norm_ratio"
    assert 1 < condition["ge"] < 240
    assert "2 cases, 0 failed" in run(capsys, "rules", "test", "drawn")
    report = json.loads(run(capsys, "rules", "backtest", "drawn", "--json"))
    assert (report["own_fired"], report["own"], report["healthy_fired"], report["healthy"]) == (1, 1, 0, 3)


def test_backtest_says_how_often_and_where_it_was_wrong(
    capsys: pytest.CaptureFixture[str], incident: str
) -> None:
    """In sentences, in either language."""
    run(capsys, "rules", "new", "far", "--cause", "strategy.lr-surge", "--when", "grad.norm_ratio >= 2")
    out = run(capsys, "rules", "backtest", "far")
    assert "far would have fired on" in out
    assert "0 of 0 incidents of its cause" in out
    assert "1 of 1 incidents of other causes" in out
    assert "0 of 3 windows of healthy runs" in out
    assert f"fired on {incident}, which was {EXPLODING}" in out
    assert "no such rule in force" in run(capsys, "rules", "backtest", "none", code=2)


def test_all_rules_of_the_team_are_backtested(capsys: pytest.CaptureFixture[str], incident: str) -> None:
    """Where none is named; a team without rules is told."""
    assert "the team has no rules" in run(capsys, "rules", "backtest", code=2)
    run(capsys, *NEW)
    run(capsys, "rules", "new", "far", "--cause", EXPLODING, "--when", "grad.norm_ratio >= 1000")
    reports = json.loads(run(capsys, "rules", "backtest", "--json"))
    assert [(r["rule"], r["own_fired"], r["own"]) for r in reports] == [("far", 0, 1), ("norm-doubles", 1, 1)]


def test_backtest_takes_folders_of_runs(
    capsys: pytest.CaptureFixture[str], home: Path, incident: str
) -> None:
    """An archive that no library has seen: its spikes and its healthy windows."""
    run_directory(
        home / "archive" / "jumped",
        manifest("jumped", state="finished"),
        lambda step: 1.0 + 8 * (step > 1000),
    )
    run_directory(
        home / "archive" / "deep" / "fine", manifest("other", state="finished"), lambda s: 1 + 1 / (s + 1)
    )
    run(capsys, *NEW)
    report = json.loads(
        run(capsys, "rules", "backtest", "norm-doubles", "--runs", str(home / "archive"), "--json")
    )
    assert (report["open"], report["healthy"], report["healthy_fired"]) == (1, 3, 0)
    missing = run(capsys, "rules", "backtest", "norm-doubles", "--runs", str(home / "nowhere"), code=2)
    assert "no such folder" in missing


def test_check_names_what_is_broken_and_fails(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """The file, the line and what is valid; the rest stays in force."""
    run(capsys, *NEW)
    path = home / "team" / "norm-doubles.yaml"
    path.write_text(path.read_text().replace("grad.norm_ratio", "grad.norm_ration"))
    out = run(capsys, "rules", "check", code=1)
    assert f"error: {path}:" in out
    assert "did you mean grad.norm_ratio" in out
    assert "1 broken" not in out.splitlines()[0]


def test_a_case_that_fails_is_named(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """Exit code 1, the rule, the case and what was otherwise."""
    run(capsys, *NEW)
    path = home / "team" / "norm-doubles.yaml"
    path.write_text(path.read_text().replace("fires: false", "fires: true"))
    out = run(capsys, "rules", "test", "norm-doubles", code=1)
    assert "norm-doubles: silent when grad.norm_ratio is not so: does not fire" in out
    assert "2 cases, 1 failed" in out


def test_facts_are_listed_with_the_values_of_a_run(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    """What a condition can name; of a run, what is known of it."""
    every = json.loads(run(capsys, "rules", "facts", "--json"))
    assert {"fact": "grad.norm_ratio", "unit": "x", "low": 0.0}.items() <= {
        row["fact"]: row for row in every
    }["grad.norm_ratio"].items()
    run_directory(home / "up", manifest("up", state="finished"), lambda s: 1.0 + 8 * (s > 1000))
    known = json.loads(run(capsys, "rules", "facts", str(home / "up"), "--json"))
    assert {row["fact"]: row["value"] for row in known}["spike.step"] == 1001
    assert len(known) < len(every)
    assert "gradient norm at the spike over the norm before" in run(capsys, "rules", "facts")


@pytest.mark.parametrize("kind", ["rule", "cause", "fix"])
def test_schemas_are_printed_and_written(capsys: pytest.CaptureFixture[str], home: Path, kind: str) -> None:
    """For editors."""
    printed = run(capsys, "rules", "schema", kind)
    run(capsys, "rules", "schema", kind, "--output", str(home / "schema.json"))
    assert json.loads(printed) == json.loads((home / "schema.json").read_text(encoding="utf-8"))
    assert "valid: rule, cause, fix" in run(capsys, "rules", "schema", "case", code=2)


def test_everything_is_said_in_chinese_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, incident: str
) -> None:
    """The language of the locale, or the one asked for."""
    monkeypatch.setenv("SPIKELORE_LANG", "zh")
    try:
        assert "接下来" in run(capsys, *NEW)
        assert "健康运行窗口" in run(capsys, "rules", "backtest", "norm-doubles")
        assert "2 个用例" in run(capsys, "rules", "test", "norm-doubles")
        assert "学习率" in run(capsys, "rules", "list")
    finally:
        language.use("en")


def test_without_a_terminal_nothing_is_asked(home: Path) -> None:
    """A script gets an error instead of a question it cannot answer."""
    done = subprocess.run(
        [sys.executable, "-m", "spikelore.tui.cli", "rules", "new"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no id for the rule" in done.stderr
    assert "Traceback" not in done.stderr
