"""Opening files: encodings, compression, damage, and lines without end."""

import bz2
import codecs
import gzip
import lzma
import tracemalloc

import pytest
from spikelore.probes.importers import LogError, Source, import_log

from .logs import read

CSV = "step,loss\n" + "".join(f"{i},{5 - i / 100}\n" for i in range(400))


@pytest.mark.parametrize(
    "content",
    [
        CSV.encode(),
        codecs.BOM_UTF8 + CSV.encode(),
        codecs.BOM_UTF16_LE + CSV.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + CSV.encode("utf-16-be"),
        CSV.encode("utf-16-le"),
        CSV.encode("utf-32"),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace("\n", "\r").encode(),
        gzip.compress(CSV.encode()),
        bz2.compress(CSV.encode()),
        lzma.compress(CSV.encode()),
        gzip.compress(codecs.BOM_UTF16_LE + CSV.encode("utf-16-le")),
    ],
    ids=[
        "utf8",
        "bom",
        "utf16le",
        "utf16be",
        "utf16-bare",
        "utf32",
        "crlf",
        "cr",
        "gzip",
        "bzip2",
        "xz",
        "gzip-utf16",
    ],
)
def test_the_same_log_in_any_wrapping(content, tmp_path):
    """What the file says is the same, so the run is the same."""
    imported = read(tmp_path, content)
    assert imported.points() == [(i, 5 - i / 100) for i in range(400)]
    assert imported.result.unread == 0


def test_a_compressed_file_that_is_cut_off_is_read_up_to_there(tmp_path):
    """The transfer broke: what arrived is evidence, and the loss of the rest is told."""
    content = gzip.compress(CSV.encode())
    imported = read(tmp_path, content[: len(content) * 2 // 3])
    assert 100 < len(imported.losses) < 400
    assert imported.result.unread >= 1
    assert any("cut off" in note for note in imported.run.manifest.notes)


def test_a_line_without_end_does_not_fill_the_memory(tmp_path):
    """Somebody printed a tensor, or the file is no log at all."""
    path = tmp_path / "x"
    path.write_bytes(b"step,loss\n1,2.5\n2,2.25\n" + b"9" * (24 << 20) + b"\n3,2.0\n")
    tracemalloc.start()
    result = import_log(path, tmp_path / "run")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.losses == 3
    assert result.unread >= 1
    assert peak < 64 << 20


def test_memory_does_not_grow_with_the_log(tmp_path):
    """A log is a stream: 60,000 lines need no more memory than 6,000."""
    peaks = []
    for count in (6_000, 60_000):
        path = tmp_path / f"{count}.log"
        path.write_text(
            "".join(f"iter {i}: loss {5 - i / 1e6:.6f}, time 1.1ms, mfu 1%\n" for i in range(count))
        )
        tracemalloc.start()
        assert import_log(path, tmp_path / f"run-{count}").losses == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2.5 * peaks[0]


def test_progress_bars_are_lines(tmp_path):
    """A bar draws over itself with carriage returns; each state is a line, and none is a riddle."""
    imported = read(
        tmp_path, "iter 1: loss 2.5\r 10%|#    | 1/10 [00:01<00:09, 1.0it/s]\riter 2: loss 2.25\n"
    )
    assert imported.points() == [(1, 2.5), (2, 2.25)]
    assert imported.result.unread == 0


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "empty"), (b"\n \n", "empty"), (b"\x00\x01\x02" * 99, "not a log")]
)
def test_files_without_a_log_are_one_clear_line(content, message, tmp_path):
    """The error names the file, the problem and what is valid."""
    with pytest.raises(LogError, match=message) as caught:
        read(tmp_path, content)
    assert "train.log" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    """A typing error in the path is the commonest of all."""
    with pytest.raises(LogError, match="no such file"):
        import_log(tmp_path / "missing.csv", tmp_path / "run")


def test_a_run_directory_is_never_overwritten(tmp_path):
    """An import writes into a new or empty folder only, and leaves nothing half made."""
    first = read(tmp_path, CSV)
    before = (first.result.directory / "run.json").read_bytes()
    with pytest.raises(Exception, match="holds a run already"):
        import_log(tmp_path / "train.log", first.result.directory)
    assert (first.result.directory / "run.json").read_bytes() == before
    with pytest.raises(LogError):
        import_log(tmp_path / "missing", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_lines_are_numbered_as_an_editor_would(tmp_path):
    """A place in an error has to be found again."""
    path = tmp_path / "x"
    path.write_text("a\n\nb\r\nc")
    source = Source(path)
    assert [(source.line, line) for line in source.lines()] == [(1, "a"), (2, ""), (3, "b"), (4, "c")]
