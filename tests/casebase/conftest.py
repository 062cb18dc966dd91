from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from spikelore.casebase import CaseLibrary

from . import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A running PostgreSQL server."""
    reason = postgres.missing()
    if reason:
        postgres.skip_or_fail(reason)
    with postgres.server() as address:
        yield address


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """An empty PostgreSQL database."""
    return postgres.fresh_database(postgres_server)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cases.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def library(url: str) -> Iterator[CaseLibrary]:
    """A library without starter cases, on each kind of database."""
    with CaseLibrary.open(url, starter=False) as opened:
        yield opened


@pytest.fixture
def starter_library(url: str) -> Iterator[CaseLibrary]:
    """A library with the starter cases, on each kind of database."""
    with CaseLibrary.open(url, starter=True) as opened:
        yield opened
