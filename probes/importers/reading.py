"""From a log to a run directory."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..evidence import RunDirectory, RunManifest
from .base import Importer, importers, ranked
from .lineage import Segment
from .remote import is_url, local_copy, masked
from .run_sink import RunSink
from .source import LogError, Sample, Source
from .writer import EvidenceWriter

EVIDENCE_NAMES = ("step", "epoch", "time", "loss", "val.loss", "lr", "grad.norm", "amp.scale", "val.accuracy")
"""What a column can be mapped to, besides any other name of the evidence table."""

_USUAL_NAMES = frozenset(
    ("metrics", "log", "trainer_state", "results", "measurements", "progress", "trainer_log", "history")
)


@dataclass
class ImportResult:
    """What an import brought.

    Attributes:
        directory: the run directory.
        format: the importer that read the log.
        points: training and validation rows taken in; ``values`` counts their numbers.
        losses: rows with a training or validation loss.
        lines: lines read; 0 for a binary format.
        unread: lines, rows and cells not understood; ``examples`` holds (place, text) of a few.
        segments: stretches between restarts; empty for a log without any.
        columns: evidence name -> the columns it was read from.
        unit: what the step counts: ``step``, ``epoch`` or ``row``.
    """

    directory: Path
    run: str
    format: str
    points: int = 0
    values: int = 0
    losses: int = 0
    lines: int = 0
    unread: int = 0
    repeated: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    unit: str = "step"
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def sniff(path: Path | str) -> str | None:
    """Return the name of the format that a file or a run's folder is in; None where none is recognised."""
    found = ranked(Sample(Path(path)))
    return found[0][1].name if found else None


def import_log(
    paths: Path | str | Sequence[Path | str],
    run_dir: Path | str,
    mapping: Mapping[str, str] | None = None,
    name: str = "",
    label: str = "",
) -> ImportResult:
    """Read a log into a new run directory.

    Args:
        paths: a file, a run's folder, a URL, or several files of one run in the order written; ``-`` is
            standard input.
        run_dir: the directory to make; it must not hold a run.
        mapping: evidence name -> column, where the names do not tell.
        name: what to call the run; by default the file's name.
        label: what to call the log in messages; by default its path.

    Raises:
        LogError: the log is not there, is of no known format, or holds no loss.
        EvidenceError: ``run_dir`` holds a run already or cannot be made.
    """
    started = time.perf_counter()
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    if not given:
        raise LogError("import: no file given")
    target = Path(run_dir)
    if (target / "run.json").exists():
        RunDirectory.create(target, RunManifest(id="", created=0.0))
    with tempfile.TemporaryDirectory(prefix="spikelore-import-") as scratch:
        sources = [_source(path, Path(scratch), label) for path in given]
        part = _part_beside(target)
        try:
            result = _import(
                sources,
                part,
                dict(mapping or {}),
                name
                or run_name(Path(given[0]) if str(given[0]) == "-" else sources[0].path / sources[0].run),
            )
            _move(part, target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    result.directory = target
    result.seconds = time.perf_counter() - started
    return result


def _source(path: Path | str, scratch: Path, label: str) -> Source:
    if str(path) == "-":
        spool = scratch / "stdin.log"
        with spool.open("wb") as stream:
            shutil.copyfileobj(sys.stdin.buffer, stream)
        return Source(spool, "standard input")
    if is_url(str(path)):
        return Source(local_copy(str(path)), label or masked(str(path)))
    source = Source(Path(path).expanduser(), label or str(path))
    if not source.path.exists():
        raise LogError(f"{path}: no such file or folder")
    return source


def _part_beside(target: Path) -> Path:
    """Make the folder that becomes the run directory once the import is whole."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise LogError(f"{target}: cannot be made a run directory ({error.strerror})") from error


def _move(part: Path, target: Path) -> None:
    part.chmod(0o755)
    try:
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        part.rename(target)
    except OSError as error:
        raise LogError(
            f"{target}: is not empty; choose an empty or new directory ({error.strerror})"
        ) from error


def run_name(path: Path) -> str:
    """Return what a run is called: the file's name, after its folder's where it is a name that all have."""
    if str(path) == "-":
        return "stdin"
    plain = path.name.removesuffix(".gz").rsplit(".", 1)[0] if path.is_file() else path.name
    usual = plain.lower() in _USUAL_NAMES or plain.startswith("events.out")
    return f"{path.absolute().parent.name}/{plain}" if usual else plain


def run_id(source: Source) -> str:
    """Return an id that is the same for the same file with the same content."""
    path = source.path.absolute()
    status = path.stat()
    text = f"{source.label}|{path}|{source.run}|{status.st_size}|{status.st_mtime_ns}"
    return f"log-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _import(sources: list[Source], part: Path, mapping: dict[str, str], name: str) -> ImportResult:
    chosen = [(source, _importer_for(source, bool(mapping))) for source in sources]
    manifest = RunManifest(
        id=run_id(sources[0]), created=0.0, name=name, source=chosen[0][1].name, state="imported"
    )
    directory = RunDirectory.create(part, manifest)
    sink = RunSink(EvidenceWriter(directory, manifest.id))
    try:
        for source, importer in chosen:
            importer.read(source, sink, mapping)
            if source.damage:
                sink.unread(source.label, source.damage)
                sink.note(f"{source.label}: {source.damage}")
        sink.finish()
    except BaseException:
        sink.writer.abandon()
        raise
    _demand_losses(sink, sources[0].label, chosen[0][1].name, mapping)
    result = _result(sink, manifest, [source for source, _ in chosen])
    _complete(manifest, sink, result, sources)
    directory.write_manifest(manifest)
    return result


def _importer_for(source: Source, mapped: bool) -> Importer:
    sample = Sample(source.path, source.label)
    if source.path.is_file() and not sample.head.strip():
        raise LogError(f"{source.label}: the file is empty")
    found = ranked(sample)
    if not mapped:
        found = [pair for pair in found if pair[0] >= 0.2]
    if found:
        return found[0][1]
    if mapped and not sample.is_binary:
        return importers()["console"]
    what = (
        "a folder without a log of a known format" if source.path.is_dir() else "not a log of a known format"
    )
    hint = "" if sample.is_binary else "; a table or JSON lines can be read with --map loss=COLUMN"
    raise LogError(f"{source.label}: {what}; known: {', '.join(sorted(importers()))}{hint}")


def _demand_losses(sink: RunSink, label: str, form: str, mapping: Mapping[str, str]) -> None:
    missing = [column for name, column in mapping.items() if name not in sink.sources]
    if sink.losses and not missing:
        return
    known = ", ".join(sorted(sink.seen)[:24]) or "none"
    if missing:
        raise LogError(f"{label}: no column {missing[0]!r}; columns with numbers: {known}")
    raise LogError(
        f"{label}: read as {form}, but no loss found; say which column it is: --map loss=COLUMN ({known})"
    )


def _result(sink: RunSink, manifest: RunManifest, sources: list[Source]) -> ImportResult:
    lineage = sink.lineage
    return ImportResult(
        directory=Path(),
        run=manifest.id,
        format=manifest.source,
        points=sink.steps + sink.evals,
        values=sink.values,
        losses=sink.losses,
        lines=sum(source.line for source in sources),
        unread=sink.unread_count,
        repeated=lineage.repeated,
        examples=sink.examples,
        segments=lineage.segments if len(lineage.segments) > 1 else [],
        columns=dict(sink.sources),
        unit=sink.unit,
        notes=sink.notes,
    )


def _complete(manifest: RunManifest, sink: RunSink, result: ImportResult, sources: list[Source]) -> None:
    lineage = sink.lineage
    if lineage.repeated:
        sink.note(f"{lineage.repeated} rows repeat a step that was logged before")
    if lineage.late:
        sink.note(f"{lineage.late} rows stood out of order and were put in their place")
    if lineage.per_epoch:
        sink.note("the step counts within the epoch; it was continued over the epochs")
    if result.segments:
        sink.note(f"the log has {len(result.segments)} segments, see the segment events")
    if result.unread:
        sink.note(f"{result.unread} lines, rows or cells were not understood")
    changed = sources[0].path.stat().st_mtime
    manifest.created = sink.first_time or changed
    manifest.ended = sink.last_time or changed
    manifest.notes = sink.notes
    manifest.settings = {
        **sink.settings,
        "import.path": sources[0].label,
        "import.columns": result.columns,
        "import.unit": result.unit,
    }
