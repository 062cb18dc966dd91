"""Logs of other tools: the import verb's work and its few lines of report."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path

from ..probes.importers import ImportResult, import_log
from .errors import UserError
from .home import runs_dir


def import_into(
    files: Sequence[Path], run_dir: Path | None, name: str, columns: Sequence[str]
) -> ImportResult:
    """Import a log into ``run_dir``, or into a new folder below the home.

    Args:
        columns: ``NAME=COLUMN`` pairs.

    Raises:
        LogError: the log is of no known format.
        UserError: a pair is malformed.
    """
    target = run_dir or runs_dir() / _folder_name(files[0])
    sources = [str(file) if str(file) == "-" else file for file in files]
    return import_log(sources, target, mapping=_mapping(columns), name=name)


def _folder_name(file: Path) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("-.") or "log"
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{stem}"


def _mapping(columns: Sequence[str]) -> dict[str, str]:
    mapping = {}
    for pair in columns:
        name, equals, column = pair.partition("=")
        if not (equals and name and column):
            raise UserError(f"--map {pair}: not a pair; valid is NAME=COLUMN, for example loss=train_loss")
        mapping[name] = column
    return mapping


def report(result: ImportResult) -> str:
    """Return what an import brought, in a few lines."""
    lines = [
        f"{result.directory}",
        f"  {result.format}: {result.points:,} points, {result.losses:,} with a loss",
    ]
    if result.unread:
        lines.append(f"  {result.unread:,} lines or cells were not understood, for example:")
        lines += [f"    {place}: {text}" for place, text in result.examples[:3]]
    lines += [f"  {note}" for note in result.notes]
    lines.append(f"  see: spikelore triage {result.directory}")
    return "\n".join(lines)
