"""Where runs, settings and the case library live when nothing else is said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..probes.evidence import EvidenceError, RunDirectory
from ..probes.evidence.home import home
from .errors import UserError


def runs_dir() -> Path:
    """Return the folder that new runs go to."""
    return home() / "runs"


def database_url() -> str:
    """Return ``$SPIKELORE_DB``, or the SQLite file in the home folder."""
    return os.environ.get("SPIKELORE_DB") or f"sqlite:///{home() / 'cases.db'}"


def run_directories(*extra: Path) -> Iterator[RunDirectory]:
    """Yield the runs of the home folder and of other folders of runs, unordered."""
    for folder in (runs_dir(), *extra):
        if (folder / "run.json").is_file():
            yield RunDirectory(folder)
        if folder.is_dir():
            yield from (RunDirectory(path.parent) for path in folder.glob("*/run.json"))


def find_run(text: str) -> RunDirectory:
    """Return the run meant by a path, an id, the start of an id, a name or ``latest``.

    Raises:
        UserError: no run or more than one is meant.
    """
    path = Path(text).expanduser()
    if (path / "run.json").is_file():
        return RunDirectory(path)
    known = {run.path: run for run in run_directories()}
    if text == "latest" and known:
        return max(known.values(), key=_created)
    matches = [run for run in known.values() if _answers_to(run, text)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UserError(f"run {text!r}: means {len(matches)} runs ({_ids(matches)}); give the whole id")
    known_ids = f"known runs: {_ids(list(known.values()))}" if known else f"no runs in {runs_dir()} yet"
    raise UserError(f"run {text!r}: no such path, id or name; {known_ids}")


def _created(run: RunDirectory) -> float:
    try:
        return run.manifest().created
    except EvidenceError:
        return 0.0


def _answers_to(run: RunDirectory, text: str) -> bool:
    try:
        manifest = run.manifest()
    except EvidenceError:
        return False
    return manifest.id.startswith(text) or text in (manifest.name, run.path.name)


def _ids(runs: list[RunDirectory], most: int = 6) -> str:
    names = sorted(run.path.name for run in runs)
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")
