"""The verbs ``search`` and ``cases``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spikelore.casebase import CaseLibrary
from spikelore.tui import language
from spikelore.tui.cli import main

from .samples import diagnosis, manifest


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own for every test."""
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path))
    monkeypatch.setenv("SPIKELORE_LANG", "en")
    for name in ("SPIKELORE_DB", "SPIKELORE_STARTER"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def incident(home: Path) -> str:
    """An open incident in the home's library."""
    with CaseLibrary.open(f"sqlite:///{home / 'cases.db'}") as library:
        return library.open_incident(diagnosis(), manifest())


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a verb and return its output, or its one line of complaint."""
    assert main(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.out if code == 0 else captured.err


def load(capsys: pytest.CaptureFixture[str], *arguments: str):  # type: ignore[no-untyped-def]
    return json.loads(run(capsys, *arguments, "--json"))


def test_search_prints_cases_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    """A fresh home answers from the starter library."""
    out = run(capsys, "search", "negative", "income")
    assert out.startswith("article-negative-income  data.abnormal-features  resolved")
    assert "Tabular regression broken by 100 rows with a negative income" in out
    assert "worked: fix.drop-bad-batches" in out


def test_search_without_a_text_lists_what_passes_the_filters(capsys: pytest.CaptureFixture[str]) -> None:
    """Filters alone are a question too."""
    found = load(capsys, "search", "--family", "numerics", "--outcome", "worked")
    assert len(found) > 3
    assert {hit["cause"].partition(".")[0] for hit in found} == {"numerics"}


def test_search_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Machines get the same, with scores and filters."""
    found = load(capsys, "search", "nan", "--cause", "numerics.epsilon-underflow")
    assert [hit["incident"] for hit in found] == ["public-adam-epsilon"]
    assert 0 < found[0]["score"] <= 1


def test_search_without_an_answer_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing found is a sentence, and an empty list in JSON."""
    assert "No case answers that" in run(capsys, "search", "zzyzx")
    assert load(capsys, "search", "zzyzx") == []


def test_list_filters(capsys: pytest.CaptureFixture[str], incident: str) -> None:
    """Open incidents of a project are listed, as a table and as JSON."""
    assert [case["id"] for case in load(capsys, "cases", "list", "--state", "open")] == [incident]
    assert incident[:8] in run(capsys, "cases", "list", "--project", "digits")


def test_show_and_postmortem(capsys: pytest.CaptureFixture[str], incident: str, tmp_path: Path) -> None:
    """One incident as Markdown and JSON, and as a page or a Markdown file with plots."""
    assert run(capsys, "cases", "show", incident[:8]).startswith("# Exploding gradients at step 1,200")
    assert load(capsys, "cases", "show", incident)["facts"]["grad.norm_ratio"] == 240.0
    assert run(capsys, "cases", "postmortem", incident, str(tmp_path / "page.html")).strip().endswith(".html")
    assert "<h1>Exploding gradients" in (tmp_path / "page.html").read_text()
    run(capsys, "cases", "postmortem", incident, str(tmp_path / "page.md"))
    assert (tmp_path / "page.md").read_text().startswith("# Exploding gradients")


def test_resolve_and_undo(capsys: pytest.CaptureFixture[str], incident: str) -> None:
    """An incident is resolved with fixes and outcomes, and that can be taken back."""
    out = run(
        capsys, "cases", "resolve", incident, "--fix", "fix.clip-gradients=worked",
        "--fix", "new seed=failed", "--after", "0.3", "--note", "clipped at 1", "--by", "ann",
    )  # fmt: skip
    assert out.strip() == f"{incident} is resolved: model.exploding-gradients"
    case = load(capsys, "cases", "show", incident)
    assert [(f.get("fix", ""), f.get("text"), f["outcome"], f.get("after")) for f in case["fixes"]] == [
        ("fix.clip-gradients", None, "worked", 0.3),
        ("", "new seed", "failed", None),
    ]
    assert "is open" in run(capsys, "cases", "resolve", incident, "--undo")


def test_add_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    """An incident written by hand is found again."""
    identifier = run(
        capsys, "cases", "add", "Columns swapped", "--cause", "data.loading-error", "--before", "0.3",
        "--after", "4", "--fix", "swapped them back=worked", "--tag", "ocr", "--project", "Receipts",
    ).strip()  # fmt: skip
    assert load(capsys, "search", "columns swapped")[0]["incident"] == identifier
    case = load(capsys, "cases", "show", identifier)
    assert (case["state"], case["confirmed"], case["tags"]) == ("resolved", "data.loading-error", ["ocr"])


def test_add_from_a_form(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The blank form, filled in, is a case."""
    blank = run(capsys, "cases", "form")
    filled = blank.replace("title: ", "title: Columns swapped").replace(
        "cause: ", "cause: data.loading-error"
    )
    filled = filled.replace("fixes: []", "fixes: [{text: swapped them back, outcome: worked}]")
    (tmp_path / "form.yaml").write_text(filled)
    identifier = run(capsys, "cases", "add", "--form", str(tmp_path / "form.yaml"), "--by", "ann").strip()
    case = load(capsys, "cases", "show", identifier)
    assert (case["title"], case["confirmed"], case["resolved_by"]) == (
        "Columns swapped",
        "data.loading-error",
        "ann",
    )
    assert [(fix["text"], fix["outcome"], fix["by"]) for fix in case["fixes"]] == [
        ("swapped them back", "worked", "ann")
    ]


def test_add_opens_the_form_in_an_editor(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a title the user's editor opens; a form left as it was adds nothing."""
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: True, raising=False)
    monkeypatch.setenv("VISUAL", "true")
    assert "left blank" in run(capsys, "cases", "add", code=2)
    monkeypatch.setenv("VISUAL", "sed -i 's/^title: /title: Edited/'")
    identifier = run(capsys, "cases", "add").strip()
    assert load(capsys, "cases", "show", identifier)["title"] == "Edited"


def test_export_shows_what_is_removed_before_it_writes(
    capsys: pytest.CaptureFixture[str], incident: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal nothing is written before the user has seen what is removed and agreed."""
    run(capsys, "cases", "note", incident, "see /home/ann/x.py")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    seen: list[str] = []

    def refuse(question: str) -> bool:
        seen.append(capsys.readouterr().out)
        return question.startswith("Write 1 incidents") and False

    monkeypatch.setattr("typer.confirm", refuse)
    run(capsys, "cases", "export", str(tmp_path / "cases.jsonl"))
    assert "/home/ann/x.py" in seen[0]
    assert not (tmp_path / "cases.jsonl").exists()
    run(capsys, "cases", "export", str(tmp_path / "cases.jsonl"), "--yes")
    assert (tmp_path / "cases.jsonl").exists()


def test_notes_and_tags(capsys: pytest.CaptureFixture[str], incident: str) -> None:
    """Notes and tags are written from the command line."""
    run(capsys, "cases", "note", incident, "saw this before")
    run(capsys, "cases", "tag", incident, "urgent", "ocr")
    run(capsys, "cases", "tag", incident, "ocr", "--remove")
    case = load(capsys, "cases", "show", incident)
    assert ([note["text"] for note in case["notes"]], case["tags"]) == (["saw this before"], ["urgent"])


def test_export_preview_import_merge(
    capsys: pytest.CaptureFixture[str], incident: str, tmp_path: Path
) -> None:
    """Cases travel to another home; what is removed is shown first."""
    run(capsys, "cases", "note", incident, "see /home/ann/x.py")
    file = tmp_path / "cases.jsonl"
    assert "removed  path     /home/ann/x.py" in run(capsys, "cases", "export", str(file), "--preview")
    assert not file.exists()
    assert load(capsys, "cases", "export", str(file))["cases"] == 1
    assert load(capsys, "cases", "import", str(file)) == {"added": 0, "joined": 0, "unchanged": 1}
    with CaseLibrary.open(f"sqlite:///{tmp_path / 'other.db'}", starter=False) as other:
        other.import_(file)
    merged = run(capsys, "cases", "merge", str(tmp_path / "other.db"))
    assert merged.strip() == "0 added, 0 joined with what was known, 1 unchanged"


def test_stats(capsys: pytest.CaptureFixture[str], incident: str) -> None:
    """The library in figures."""
    out = run(capsys, "cases", "stats")
    assert "1 open" in out
    assert "model.exploding-gradients" in out
    assert load(capsys, "cases", "stats")["starter"] >= 50


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("cases", "show", "nothing"), "incident 'nothing': not in the library"),
        (("cases", "resolve", "public-adam-epsilon", "--cause", "oops"), "not a cause id"),
        (
            ("cases", "resolve", "public-adam-epsilon", "--cause", "data.x", "--fix", "fix.x"),
            "says no outcome",
        ),
        (("cases", "import", "nowhere.jsonl"), "nowhere.jsonl: cannot be read"),
        (("cases", "merge", "nowhere.db"), "nowhere.db: no such file"),
        (("cases", "add", "x", "--cause", "oops"), "not a cause id"),
        (("cases", "add"), "valid is a title, or --form FILE"),
        (("cases", "list", "--state", "closed"), "'closed' is not one of 'open', 'resolved'"),
        (("cases", "postmortem", "public-adam-epsilon", "page.pdf"), "ends in .html or .md"),
    ],
)
def test_mistakes_are_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    """What the user did wrong is one line that says what is valid; no traceback."""
    err = run(capsys, *arguments, code=2)
    assert said in err
    assert err.count("\n") == 1


def test_the_team_library_is_used_where_it_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """SPIKELORE_DB names the library that every verb works on."""
    monkeypatch.setenv("SPIKELORE_DB", url)
    identifier = run(capsys, "cases", "add", "Kept by the team").strip()
    assert load(capsys, "search", "team")[0]["incident"] == identifier
    with CaseLibrary.open(url) as library:
        assert library.get(identifier).title == "Kept by the team"


def test_dates_restrict_lists_and_searches(capsys: pytest.CaptureFixture[str], incident: str) -> None:
    """Starter cases are older than any incident of the user's own."""
    for verb in (("cases", "list"), ("search", "exploding gradients")):
        found = load(capsys, *verb, "--since", "2025-01-02")
        assert [row.get("incident", row.get("id")) for row in found] == [incident]
        assert incident not in str(load(capsys, *verb, "--until", "2025-01-02"))
    assert "does not match" in run(capsys, "cases", "list", "--since", "yesterday", code=2)


def test_the_verbs_speak_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The language of the environment is the language of the output."""
    monkeypatch.setenv("SPIKELORE_LANG", "zh")
    monkeypatch.setattr(language._Current, "lang", "en")
    assert "已结" in run(capsys, "search", "收入")
    assert "案例" in run(capsys, "search", "zzyzx")
