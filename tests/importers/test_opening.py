"""``open_run``: whatever is named becomes evidence, read once as long as it does not change."""

import json
import os

import pytest
from spikelore.probes.evidence import RunDirectory, RunManifest, Step, encode
from spikelore.probes.importers import LogError, open_directory, open_run

CSV = "step,loss\n1,2.5\n2,2.25\n"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))


@pytest.fixture
def bucket():
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()


def test_a_run_directory_is_opened_as_it_is(tmp_path):
    """Evidence recorded by probes is not copied."""
    RunDirectory.create(tmp_path / "run", RunManifest(id="x", created=1.0))
    assert open_run(tmp_path / "run").directory.path == tmp_path / "run"


def test_a_log_is_imported_once(tmp_path):
    """The second look is free; a log that changed is read again."""
    path = tmp_path / "log.csv"
    path.write_text(CSV)
    first = open_directory(path).path
    made = (first / "run.json").stat().st_mtime_ns
    assert open_directory(path).path == first
    assert (first / "run.json").stat().st_mtime_ns == made
    path.write_text(CSV + "3,2.0\n")
    assert len(open_run(path).primary.series("loss")) == 3


def test_mappings_are_runs_of_their_own(tmp_path):
    """The same file under another mapping is another curve."""
    path = tmp_path / "log.csv"
    path.write_text("step,loss,b\n1,2.5,7\n2,2.25,8\n")
    assert open_run(path).primary.series("loss").value.tolist() == [2.5, 2.25]
    assert open_run(path, {"loss": "b"}).primary.series("loss").value.tolist() == [7.0, 8.0]


def test_a_folder_of_one_run(tmp_path):
    """A folder is its log, where it holds one."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "metrics.csv").write_text(CSV)
    assert len(open_run(tmp_path / "out").primary.series("loss")) == 2
    (tmp_path / "out" / "more.csv").write_text(CSV)
    with pytest.raises(LogError, match=r"holds 2 logs \(metrics.csv, more.csv\); name one of them"):
        open_run(tmp_path / "out")


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_nothing_to_open(name, tmp_path):
    """The error says what is wrong with the path."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(LogError, match=name):
        open_run(tmp_path / name)


def test_a_log_on_a_url(bucket):
    """A remote log is read in place, through a copy that follows it."""
    bucket.pipe("/team/log.csv", CSV.encode())
    assert len(open_run("memory://team/log.csv").primary.series("loss")) == 2
    bucket.pipe("/team/log.csv", (CSV + "3,2.0\n").encode())
    run = open_run("memory://team/log.csv")
    assert len(run.primary.series("loss")) == 3
    assert run.manifest.settings["import.path"] == "memory://team/log.csv"


def test_a_live_run_on_a_url_is_followed(bucket, monkeypatch):
    """Only what the evidence gained is fetched again."""
    bucket.pipe("/runs/a/run.json", json.dumps({"id": "a", "created": 1.0}).encode())
    lines = [encode(Step(step, v={"loss": 5.0 - step})) for step in range(4)]
    bucket.pipe("/runs/a/evidence/rank-00000.jsonl", b"".join(lines[:3]))
    bucket.pipe("/runs/a/capsules/big.pt", b"x" * 1000)
    first = open_run("memory://runs/a")
    assert first.primary.series("loss").value.tolist() == [5.0, 4.0, 3.0]
    assert not (first.directory.path / "capsules").exists()
    bucket.pipe("/runs/a/evidence/rank-00000.jsonl", b"".join(lines))
    monkeypatch.setattr(type(bucket), "open", lambda *_, **__: pytest.fail("fetched whole"))
    assert open_run("memory://runs/a").primary.series("loss").value.tolist() == [5.0, 4.0, 3.0, 2.0]


def test_a_remote_file_that_was_rewritten_is_fetched_whole(bucket):
    """A longer file is not always the old one with more behind it."""
    bucket.pipe("/team/log.csv", CSV.encode())
    open_run("memory://team/log.csv")
    bucket.pipe("/team/log.csv", b"step,loss\n1,9.5\n2,9.25\n3,9.0\n")
    assert open_run("memory://team/log.csv").primary.series("loss").value.tolist() == [9.5, 9.25, 9.0]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://nothing/here.csv", "nothing there"),
        ("nosuchscheme://bucket/log.csv", "cannot be read"),
        ("nosuchscheme://user:secret@host/log.csv?token=secret", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_read_is_one_line_without_secrets(url, message):
    """Passwords in URLs are not repeated."""
    pytest.importorskip("fsspec")
    with pytest.raises(LogError, match=message) as caught:
        open_run(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_home_that_cannot_be_written(tmp_path, monkeypatch):
    """A read-only home costs the cache, not the diagnosis."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "file"))
    path = tmp_path / "log.csv"
    path.write_text(CSV)
    assert len(open_run(path).primary.series("loss")) == 2
    assert sorted(os.listdir(tmp_path)) == ["file", "log.csv"]
