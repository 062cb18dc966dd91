"""What a verb's RUN argument means: a recorded run, or any log that can be imported."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..probes.evidence import RunDirectory
from .home import find_run


@contextmanager
def run_or_log(text: str) -> Iterator[RunDirectory]:
    """Yield the run; a log becomes a run in a temporary folder for as long as it is looked at.

    Raises:
        UserError: nothing of that name.
        LogError: it is a log that no importer reads.
    """
    path = Path(text).expanduser()
    if not path.exists() or (path / "run.json").is_file():
        yield find_run(text)
        return
    from ..probes.importers import import_log

    with tempfile.TemporaryDirectory(prefix="spikelore-") as folder:
        made = import_log(path, Path(folder) / path.stem, name=path.name)
        yield RunDirectory.open(made.directory)
