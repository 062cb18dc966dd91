"""What a verb's RUN argument means: a recorded run, or any log that can be imported."""

from __future__ import annotations

from pathlib import Path

from ..probes.evidence import RunDirectory
from .home import find_run


def run_or_log(text: str) -> RunDirectory:
    """Return the run meant by a path, an id, a name, ``latest``, or a log or URL, which is imported.

    Raises:
        UserError: nothing of that name.
        LogError: it is a log that no importer reads.
    """
    path = Path(text).expanduser()
    if (path / "run.json").is_file():
        return RunDirectory(path)
    # A run inside a file that keeps several, as in mlflow.db/RUN, is no path of its own.
    if path.exists() or path.parent.is_file() or "://" in text:
        from ..probes.importers import open_directory

        return open_directory(text)
    return find_run(text)
