"""The time of day, in one place so that a picture of a screen can be taken at any moment."""

from __future__ import annotations

import time


def now() -> float:
    """Return Unix time in seconds."""
    return time.time()
