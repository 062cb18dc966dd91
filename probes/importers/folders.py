"""Folders of runs: which logs are there, and the import of them all."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from ..evidence import EvidenceError
from .base import Store, importers, ranked
from .reading import ImportResult, import_log
from .source import Sample, store_and_run

_NOT_LOGS = re.compile(
    r"\.(?:py|pyc|ipynb|sh|ya?ml|toml|cfg|ini|cu|cpp|c|h|pth?|ckpt|bin|safetensors|onnx|np[yz]|h5|hdf5|pkl|pickle"
    r"|parquet|arrow|model|tar|zip|png|jpe?g|gif|pdf|svg|html|mp4|wav|so)$",
    re.IGNORECASE,
)
_TRIED = re.compile(
    r"\.(?:csv|tsv|jsonl|log|txt|out|err|ndjson)(?:\.gz|\.bz2|\.xz)?$|tfevents|\.wandb$", re.IGNORECASE
)
_LEAST = 0.2
_LEAN = ("tensorboard", "console", "hf-console")
"""Formats that hold less than what the same trainer writes beside them."""

_SMALLEST = 8
_CHECKPOINT = re.compile(r"^checkpoint-(\d+)$")


@dataclass(frozen=True)
class Log:
    """One run's log: a file, or a folder that is read as a whole."""

    path: Path
    format: str
    score: float


@dataclass
class Found:
    """What a folder holds.

    Attributes:
        logs: one entry a run.
        copies: other logs of the same runs, with the one that is read instead.
        unknown: files that look like logs by their name but are of no known format.
    """

    logs: list[Log] = field(default_factory=list)
    copies: list[tuple[Path, Path]] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


def find_logs(root: Path) -> Found:
    """Return the logs below a folder, in the order of their paths."""
    found = Found()
    for logs in _walk(root, found):
        found.logs += _one_of_each_run(logs, found)
    found.logs = _last_checkpoints(found)
    return found


def _walk(root: Path, found: Found) -> Iterator[list[Log]]:
    for name, folders, files in os.walk(root):
        folder = Path(name)
        folders.sort()
        folders[:] = [f for f in folders if not f.startswith(".") and f != "__pycache__"]
        if "run.json" in files:
            folders.clear()
            continue
        whole = _best(folder)
        logs = [whole] if whole else []
        if whole:
            folders[:] = [f for f in folders if not _belongs(f, whole)]
        for file in sorted(files):
            path = folder / file
            if whole and (("tfevents" in file and whole.format == "tensorboard") or file.endswith(".wandb")):
                continue
            log = _file(path, found)
            if log:
                logs.append(log)
        stores = [log for log in logs if isinstance(importers()[log.format], Store)]
        for store in stores:
            yield from ([Log(path, store.format, store.score)] for path in runs_in(store.path))
        yield [log for log in logs if log not in stores]


def runs_in(path: Path) -> list[Path]:
    """Return a log's runs: its own path, or one path for each run of a file that keeps several."""
    if store_and_run(path)[1]:
        return [path]
    stores = (importer for importer in importers().values() if isinstance(importer, Store))
    return next(([path / run for run in runs] for store in stores if (runs := store.runs(path))), [path])


def _belongs(folder: str, whole: Log) -> bool:
    if whole.format in ("mlflow", "wandb-offline"):
        return True
    return bool(re.search(r"train|val|eval|test", folder, re.IGNORECASE))


def _best(path: Path) -> Log | None:
    try:
        scores = ranked(Sample(path))
    except OSError:
        return None
    return Log(path, scores[0][1].name, scores[0][0]) if scores and scores[0][0] >= _LEAST else None


def _file(path: Path, found: Found) -> Log | None:
    if _NOT_LOGS.search(path.name) or not path.is_file() or path.stat().st_size < _SMALLEST:
        return None
    log = _best(path)
    if log is None and _TRIED.search(path.name):
        found.unknown.append(path)
    return log


def _one_of_each_run(logs: list[Log], found: Found) -> list[Log]:
    """Return a folder's runs: one log each of several formats is one run written by several loggers."""
    formats = [log.format for log in logs]
    if len(logs) < 2 or len(set(formats)) < len(formats):
        return logs
    best = max(logs, key=lambda log: (log.format not in _LEAN, log.score, str(log.path)))
    found.copies += [(log.path, best.path) for log in logs if log is not best]
    return [best]


def _last_checkpoints(found: Found) -> list[Log]:
    """Leave out checkpoints whose history is the start of a later one's."""
    latest: dict[Path, tuple[int, Log]] = {}
    kept: list[Log] = []
    for log in found.logs:
        match = _CHECKPOINT.match(log.path.parent.name) if log.format == "hf-trainer-state" else None
        if not match:
            kept.append(log)
            continue
        parent, number = log.path.parent.parent, int(match[1])
        if parent not in latest or latest[parent][0] < number:
            latest[parent] = (number, log)
    with_own = {log.path.parent: log for log in kept if log.format == "hf-trainer-state"}
    kept += [log for parent, (_, log) in latest.items() if parent not in with_own]
    chosen = set(kept)
    for log in found.logs:
        if log not in chosen:
            parent = log.path.parent.parent
            found.copies.append(
                (log.path, with_own[parent].path if parent in with_own else latest[parent][1].path)
            )
    return sorted(kept, key=lambda log: str(log.path))


@dataclass(frozen=True)
class Outcome:
    """What became of one log: a result, or the reason why there is none."""

    path: Path
    result: ImportResult | None
    reason: str = ""


def import_all(
    logs: Sequence[tuple[Path, Path]],
    mapping: dict[str, str] | None = None,
    jobs: int = 0,
    done: Callable[[Outcome], None] | None = None,
) -> list[Outcome]:
    """Import many logs in parallel; a bad one is an outcome with its reason and stops nothing.

    Args:
        logs: (log, run directory to make) of each run.
        mapping: evidence name -> column, for all of them.
        jobs: processes; 0 for one a core.
        done: called after each.
    """
    outcomes: dict[Path, Outcome] = {}
    jobs = min(jobs or os.cpu_count() or 1, len(logs))

    def note(outcome: Outcome) -> None:
        outcomes[outcome.path] = outcome
        if done:
            done(outcome)

    if jobs < 2:
        for log, target in logs:
            note(attempt(log, target, mapping))
        return list(outcomes.values())
    waiting = list(logs)
    while waiting:
        _in_pool(waiting, mapping, jobs, note)
        waiting = [pair for pair in waiting if pair[0] not in outcomes]
        if waiting and jobs == 1:
            # The first one that is left killed its process; the others were only beside it.
            note(
                Outcome(
                    waiting.pop(0)[0], None, "the process that read it was killed, perhaps for its memory"
                )
            )
        jobs = 1
    return [outcomes[log] for log, _ in logs]


def _in_pool(
    logs: Sequence[tuple[Path, Path]],
    mapping: dict[str, str] | None,
    jobs: int,
    note: Callable[[Outcome], None],
) -> None:
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures: list[Future[Outcome]] = [pool.submit(attempt, log, target, mapping) for log, target in logs]
        for future in as_completed(futures):
            try:
                note(future.result())
            except BrokenProcessPool:
                return


def attempt(log: Path, target: Path, mapping: dict[str, str] | None) -> Outcome:
    """Import one log and return what became of it."""
    try:
        return Outcome(log, import_log(log, target, mapping))
    except (EvidenceError, OSError) as error:
        return Outcome(log, None, " ".join(str(error).split()))
    except Exception as error:  # noqa: BLE001 - one defect must not end the import of a thousand others
        return Outcome(log, None, f"defect in the importer: {type(error).__name__}: {error}")


def target_names(paths: Sequence[Path], root: Path) -> list[str]:
    """Return a folder name for each run, readable and each once."""
    names: list[str] = []
    taken: set[str] = set()
    for given in paths:
        path = given.absolute()
        path = path.with_suffix("") if path.is_file() else path
        relative = path.relative_to(root) if path.is_relative_to(root) and path != root else Path(path.name)
        plain = re.sub(r"\.(?:csv|log|txt|jsonl?)$", "", str(relative))
        base = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.")[:80] or "run"
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}-{count}"
        taken.add(name)
        names.append(name)
    return names
