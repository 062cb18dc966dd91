"""The case library, opened for one piece of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .home import database_url, home

if TYPE_CHECKING:
    from ..casebase import CaseLibrary


@contextmanager
def opened() -> Iterator[CaseLibrary]:
    """Open the library that the environment or the settings name, and close it again."""
    from ..casebase import CaseLibrary

    url = database_url()
    if url.startswith("sqlite:///"):
        home().mkdir(parents=True, exist_ok=True)
    library = CaseLibrary.open(url)
    try:
        yield library
    finally:
        library.close()
