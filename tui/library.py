"""The case library, opened for one piece of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..probes.evidence.home import home
from .home import database_url

if TYPE_CHECKING:
    from ..casebase import CaseLibrary


def prepare() -> str:
    """Return the library's address, its folder made."""
    url = database_url()
    if url.startswith("sqlite:///"):
        home().mkdir(parents=True, exist_ok=True)
    return url


@contextmanager
def opened() -> Iterator[CaseLibrary]:
    """Open the library that the environment names, and close it again.

    Raises:
        CaseError: the library is away.
    """
    from ..casebase import CaseLibrary

    library = CaseLibrary.open(prepare())
    try:
        yield library
    finally:
        library.close()


def masked(url: str) -> str:
    """Return a database's address without its user and password."""
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://…@{tail}" if at else url
