from __future__ import annotations

import json
from pathlib import Path

import pytest
from spikelore.casebase import Case, CaseError, CaseLibrary, Filters, FixTried
from spikelore.casebase.fingerprint import shape
from spikelore.casebase.masking import Mask, masked_host
from spikelore.casebase.reading import fingerprints
from spikelore.casebase.values import Window

from .samples import EXPLODING, diagnosis, manifest

HEADER = '{"k": "casebase", "schema": 1}'


def other_library(tmp_path: Path, name: str = "other") -> CaseLibrary:
    return CaseLibrary.open(f"sqlite:///{tmp_path / name}.db", starter=False)


@pytest.fixture
def told(library: CaseLibrary) -> CaseLibrary:
    """A library of a resolved incident and an open one."""
    window = Window([1199, 1200], {"loss": [0.3, "nan"]})
    first = library.open_incident(diagnosis(), manifest(), window)
    note = "see /home/ann/job/train.py on ann@example.org, token=abcd1234secret"
    library.resolve(first, EXPLODING, [FixTried("fix.clip-gradients", "worked", after=0.3)], note, "ann")
    library.tag(first, "ocr")
    library.open_incident(diagnosis("run-2", ratio=float("inf")), manifest("run-2"))
    return library


def content(library: CaseLibrary) -> dict[str, tuple[object, ...]]:
    """Return what must survive a journey."""
    cases = [library.get(line.id) for line in library.list(limit=1000)]
    return {
        case.id: (
            case.state, case.confirmed, case.title, case.tags, case.window, case.facts,
            [(fix.fix, fix.outcome, fix.before, fix.after) for fix in case.fixes], len(case.notes),
        )
        for case in cases
    }  # fmt: skip


def test_a_library_travels_through_a_file(told: CaseLibrary, tmp_path: Path) -> None:
    """What was exported comes back the same: states, causes, fixes, facts, evidence."""
    path = tmp_path / "cases.jsonl"
    assert told.export(path).cases == 2
    with other_library(tmp_path) as other:
        report = other.import_(path)
        assert (report.added, report.joined, report.unchanged) == (2, 0, 0)
        assert content(other) == content(told)
        assert other.search("tag:ocr")


def test_the_shape_of_the_curve_survives(library: CaseLibrary, tmp_path: Path) -> None:
    """What is compared besides facts is made again from the evidence that travelled."""
    steps = list(range(1080, 1360))
    losses: list[float | str | None] = [0.3 if step < 1200 else 4.8 for step in steps]
    losses[150] = "nan"
    curve = shape(steps, [float(loss or 0) for loss in losses], 1200, 0.3)
    library.open_incident(diagnosis(), manifest(), Window(steps, {"loss": losses}), curve)
    library.export(tmp_path / "cases.jsonl")
    with other_library(tmp_path) as other:
        other.import_(tmp_path / "cases.jsonl")
        with other.database.reader() as reader:
            assert fingerprints(reader, [1])[1].shape == curve


def test_importing_twice_doubles_nothing(told: CaseLibrary, tmp_path: Path) -> None:
    """Content ids make the second import, and one back home, empty."""
    path = tmp_path / "cases.jsonl"
    told.export(path)
    with other_library(tmp_path) as other:
        other.import_(path)
        for library in (other, told):
            report = library.import_(path)
            assert (report.added, report.joined, report.unchanged) == (0, 0, 2)
    assert len(told.get(told.list(Filters(state="resolved"))[0].id).fixes) == 1


def test_nothing_private_leaves(told: CaseLibrary, tmp_path: Path) -> None:
    """Paths, people, hosts and secrets are replaced, and the report says by what."""
    path = tmp_path / "cases.jsonl"
    report = told.export(path)
    text = path.read_text()
    for private in ("ann", "/home", "example.org", "abcd1234secret", "gpu-box"):
        assert private not in text, private
    assert report.removed["path"] == ["/home/ann/job/train.py"]
    assert report.removed["user"] == ["ann"]
    assert report.removed["email"] == ["ann@example.org"]
    assert "abcd1234secret" in report.removed["secret"][0]


def test_a_preview_writes_nothing(told: CaseLibrary, tmp_path: Path) -> None:
    """What would be removed can be looked at first."""
    report = told.export(tmp_path / "cases.jsonl", preview=True)
    assert report.cases == 2
    assert report.removed["path"]
    assert not (tmp_path / "cases.jsonl").exists()


def test_filters_choose_what_is_exported(told: CaseLibrary, tmp_path: Path) -> None:
    """Only what passes the filters leaves, and starter cases never do by themselves."""
    assert told.export(tmp_path / "cases.jsonl", Filters(state="open")).cases == 1


def test_a_resolution_made_elsewhere_is_taken_over(told: CaseLibrary, tmp_path: Path) -> None:
    """An incident that is open here and resolved there is resolved after the merge; fixes add up."""
    with other_library(tmp_path) as other:
        open_one = told.list(Filters(state="open"))[0].id
        told.add_fix(open_one, FixTried("fix.lower-rate", "failed", by="ann"))
        told.export(tmp_path / "cases.jsonl")
        other.import_(tmp_path / "cases.jsonl")
        other.resolve(open_one, "strategy.lr-surge", [FixTried("fix.repair-schedule", "worked")], by="bob")
        report = told.merge(other.database.url)
        assert (report.added, report.joined, report.unchanged) == (0, 1, 1)
        case = told.get(open_one)
        assert (case.state, case.confirmed) == ("resolved", "strategy.lr-surge")
        assert {fix.fix for fix in case.fixes} == {"fix.lower-rate", "fix.repair-schedule"}
        assert told.merge(other.database.url).unchanged == 2


def test_the_later_resolution_stands(told: CaseLibrary, tmp_path: Path) -> None:
    """Merging an older opinion does not undo a newer one."""
    identifier = told.list(Filters(state="resolved"))[0].id
    told.export(tmp_path / "cases.jsonl")
    told.resolve(identifier, "data.loading-error")
    told.import_(tmp_path / "cases.jsonl")
    assert told.get(identifier).confirmed == "data.loading-error"


def test_a_library_is_not_merged_into_itself(told: CaseLibrary) -> None:
    """The address of the library itself is refused."""
    with pytest.raises(CaseError, match="cannot be merged into itself"):
        told.merge(told.database.url)


CASE = {"k": "case", "id": "a", "title": "t"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("not json", "not a line of a case export"),
        ("[1, 2]", "not a line of a case export"),
        (json.dumps({**CASE, "state": "gone"}), "not a line of a case export"),
        (json.dumps({**CASE, "id": ""}), "id '' is none"),
        (json.dumps({**CASE, "id": "a b"}), "valid is a text without spaces"),
        (json.dumps({**CASE, "confirmed": "nonsense"}), "not a cause id"),
        (
            json.dumps({**CASE, "fixes": [{"fix": "fix.x", "outcome": "maybe"}]}),
            "not a line of a case export",
        ),
        (json.dumps({**CASE, "title": "x" * 200_001}), "longer than 200,000 characters"),
        (json.dumps({**CASE, "facts": {"a": None}}), "not a line of a case export"),
        ('{"k": "case", "id": "a", "x": ' + "[" * 60 + "]" * 60 + "}", "nested deeper than 16"),
        (json.dumps({**CASE, "summary": "y" * (2 << 20)}), "longer than 2,097,152 bytes"),
        ('{"k": "casebase", "schema": 2}', "schema 2 is newer"),
    ],
)
def test_a_bad_line_is_refused_with_its_place_and_nothing_is_kept(
    tmp_path: Path, line: str, problem: str
) -> None:
    """Foreign data is checked before any of it is written."""
    path = tmp_path / "bad.jsonl"
    path.write_text("\n".join([HEADER, json.dumps({**CASE, "id": "good"}), line]) + "\n")
    with other_library(tmp_path) as library:
        with pytest.raises(CaseError, match=problem) as caught:
            library.import_(path)
        assert str(caught.value).startswith(f"{path}:3: ")
        assert library.list() == []


def test_a_file_without_a_header_is_refused(tmp_path: Path) -> None:
    """Any other JSON Lines file is not taken for an export."""
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(CASE) + "\n")
    with other_library(tmp_path) as library, pytest.raises(CaseError, match="first line must be the header"):
        library.import_(path)


def test_control_characters_stay_outside(library: CaseLibrary, tmp_path: Path) -> None:
    """What others wrote cannot move the cursor of who reads it, and NUL breaks no database."""
    case = {
        "k": "case", "id": "x", "title": "a\x1b[2Jb\x00c\r", "summary": "one\ntwo\x9b31m", "project": "p\x07",
        "notes": [{"text": "n\x1b]0;x\x07", "by": "\x08"}], "fixes": [{"text": "f\x00", "outcome": "worked"}],
        "tags": ["t\x1b"],
    }  # fmt: skip
    path = tmp_path / "cases.jsonl"
    path.write_text(f"{HEADER}\n{json.dumps(case)}\n")
    library.import_(path)
    kept = library.get("x")
    assert (kept.title, kept.summary, kept.project, kept.tags) == ("a[2Jbc", "one\ntwo31m", "p", ["t"])
    assert [(note.text, note.by) for note in kept.notes] == [("n]0;x", "")]
    assert [fix.text for fix in kept.fixes] == ["f"]
    assert library.search("one")[0].case.id == "x"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The message names the file."""
    with (
        other_library(tmp_path) as library,
        pytest.raises(CaseError, match=r"nowhere\.jsonl: cannot be read"),
    ):
        library.import_(tmp_path / "nowhere.jsonl")


def test_unknown_fields_of_later_versions_are_ignored(tmp_path: Path) -> None:
    """An export of a later version with more fields can still be read."""
    path = tmp_path / "later.jsonl"
    path.write_text(f"{HEADER}\n{json.dumps({**CASE, 'mood': 'fine'})}\n")
    with other_library(tmp_path) as library:
        assert library.import_(path).added == 1


def test_the_same_case_written_twice_is_one(library: CaseLibrary) -> None:
    """A case added by hand again is the one that is there."""
    first = library.add(Case(title="Labels swapped", confirmed="data.label-contamination"))
    assert library.add(Case(title="Labels swapped", confirmed="data.label-contamination")) == first
    assert len(library.list()) == 1


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("open /home/ann/x/train.py now", "open <path>/train.py now"),
        ("in /Users/bob/Library/file", "in <path>"),
        (r"C:\Users\bob\train.py failed", "<path>/train.py failed"),
        (r"\\server\share\x.csv", "<path>/x.csv"),
        ("~/data/x", "<path>"),
        ("--out=/ssd3/ann/runs", "--out=<path>"),
        ("WANDB_API_KEY=0123456789abcdef", "<secret>"),
        ("--token hf_abcdefghijklmnop12", "<secret>"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: <secret>"),
        ("password: hunter22", "<secret>"),
        ("key sk-abcdefghijklmnopqrst", "key <secret>"),
        ("postgresql://ann:pw@db/cases", "postgresql://<login>@db/cases"),
        ("10.1.2.3 port", "<address> port"),
        ("mail bob@corp.example", "mail <email>"),
    ],
)
def test_private_texts_are_replaced(text: str, clean: str) -> None:
    """Each kind of private text is recognised; a script's own name may stay."""
    assert Mask().text(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "ratio 3/4 and and/or",
        "lr 1e-3 at 12:30:45",
        "torch 2.4.1.0+cu",
        "https://github.com/pytorch/pytorch/issues/8860",
        "model.exploding-gradients",
        "token embedding and tokenizer",
        "/usr/lib/python3/site.py and /dev/shm/x",
        "max_tokens=4096, n_tokens: 8192",
        "author: somebody",
        "学习率/梯度",
    ],
)
def test_ordinary_texts_stay(text: str) -> None:
    """What only looks a little like a path or a secret is left alone."""
    assert Mask().text(text) == text


def test_hosts_are_told_apart_but_not_named() -> None:
    """The same machine has the same mask; masking twice changes nothing."""
    masked = masked_host("gpu-box")
    assert masked == masked_host("gpu-box") != masked_host("gpu-box-2")
    assert masked_host(masked) == masked
    assert "gpu" not in masked
