"""From any exception to one line for the user: the place, the problem and what is valid."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from pathlib import Path


class UserError(Exception):
    """Something the user can put right; the message is shown as it is."""


def sentence(error: BaseException) -> str:
    """Return one line for people, without type names where the message stands by itself."""
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}"
    if isinstance(error, ModuleNotFoundError):
        return f"the Python module {error.name!r} is missing; install it into the environment of spikelore"
    text = " ".join(str(error).split())
    return text if text and is_expected(error) else f"{type(error).__name__}: {text or 'no message'}"


def is_expected(error: BaseException) -> bool:
    """Tell an error that names the user's problem from a defect in spikelore."""
    if isinstance(error, UserError | OSError | ModuleNotFoundError):
        return True
    # Every package has its own error types; all of them are written for the user.
    kind = type(error)
    return kind.__module__.startswith("spikelore.") and kind.__name__.endswith("Error")


def note_crash(error: BaseException) -> Path | None:
    """Write the traceback of a defect to a file and return its path, None where nothing can be written."""
    text = "".join(traceback.format_exception(error))
    name = f"spikelore-crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    path = Path(tempfile.gettempdir()) / name
    try:
        path.write_text(text, encoding="utf-8")
    except OSError:
        return None
    return path
