"""A run from whatever is named: a run directory, a log, a folder of one run, or the URL of any of them."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..evidence import EvidenceError, RunDirectory
from .cache import cache_folder, prune
from .folders import find_logs, runs_in
from .reading import import_log
from .remote import is_url, local_copy, masked
from .source import LogError, store_and_run

if TYPE_CHECKING:
    from ..evidence.reader import RunEvidence

_VERSION = 1
"""Raised when the importers change so that logs must be read again."""


def open_run(path_or_url: Path | str, mapping: Mapping[str, str] | None = None) -> RunEvidence:
    """Return a run's evidence; a log is imported, once for as long as it does not change.

    Args:
        path_or_url: a run directory, a log, a folder that holds one run, or an fsspec URL of these.
        mapping: evidence name -> column, where the names do not tell.

    Raises:
        EvidenceError: there is nothing there, or no importer reads it.
    """
    from ..evidence.reader import RunEvidence

    return RunEvidence.load(open_directory(path_or_url, mapping))


def open_directory(path_or_url: Path | str, mapping: Mapping[str, str] | None = None) -> RunDirectory:
    """Return the run directory of whatever is named; like `open_run`."""
    text = str(path_or_url)
    path = local_copy(text) if is_url(text) else Path(path_or_url).expanduser()
    if (path / "run.json").is_file():
        return RunDirectory(path)
    if not store_and_run(path)[0].exists():
        raise LogError(f"{text}: no such file or folder")
    label = masked(text) if is_url(text) else text
    chosen = dict(mapping or {})
    # What was imported before is one run: no importer needs to be loaded to tell.
    log = path if _is_imported(path, chosen) else _one_log(path, label)
    return _imported(log, label, chosen)


def _one_log(path: Path, label: str) -> Path:
    """Return the log itself: a folder has to hold exactly one."""
    logs = [log.path for log in find_logs(path).logs] if path.is_dir() else runs_in(path)
    if len(logs) == 1:
        return logs[0]
    if not logs:
        raise LogError(f"{label}: without a log of a known format")
    names = ", ".join(str(log.relative_to(path)) for log in logs[:6])
    more = ", …" if len(logs) > 6 else ""
    raise LogError(f"{label}: holds {len(logs)} logs ({names}{more}); name one of them")


def _is_imported(path: Path, mapping: dict[str, str]) -> bool:
    return path.is_file() and (cache_folder("imports") / _key(path, mapping) / "run.json").is_file()


def _imported(path: Path, label: str, mapping: dict[str, str]) -> RunDirectory:
    folder = _writable(cache_folder("imports"))
    target = folder / _key(path, mapping)
    if not (target / "run.json").is_file():
        prune(folder)
        try:
            import_log(path, target, mapping, label=label)
        except EvidenceError:
            # Another process may have imported the same log in the meantime.
            if not (target / "run.json").is_file():
                raise
    os.utime(target)
    return RunDirectory.open(target)


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    temporary = Path(tempfile.mkdtemp(prefix="spikelore-"))
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return temporary


def _key(path: Path, mapping: Mapping[str, str]) -> str:
    """Return a name that changes with the content of a log, as far as size and time tell."""
    store, _ = store_and_run(path)
    files = [store] if store.is_file() else sorted(p for p in store.rglob("*") if p.is_file())
    states = [(str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files]
    text = repr((_VERSION, str(path.absolute()), states, sorted(mapping.items())))
    return hashlib.sha256(text.encode()).hexdigest()[:20]
