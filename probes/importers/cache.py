"""Where imported logs and fetched files are kept between calls."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MOST_ENTRIES = 200


def cache_folder(kind: str) -> Path:
    """Return a folder for ``kind``: below ``$SPIKELORE_HOME``, or in the platform's cache folder."""
    given = os.environ.get("SPIKELORE_HOME")
    if given:
        return Path(given).expanduser() / "cache" / kind
    import platformdirs

    return platformdirs.user_cache_path("spikelore") / kind


def prune(folder: Path) -> None:
    """Remove the entries that were not used for longest, once there are too many."""
    try:
        entries = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
    except OSError:
        return
    for path in entries[: max(0, len(entries) - _MOST_ENTRIES)]:
        shutil.rmtree(path, ignore_errors=True)
