"""The folder of everything that outlives a run: runs, cases, rules, settings."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """Return ``$SPIKELORE_HOME``, or the platform's folder for user data."""
    if given := os.environ.get("SPIKELORE_HOME"):
        return Path(given).expanduser()
    import platformdirs

    return platformdirs.user_data_path("spikelore")
