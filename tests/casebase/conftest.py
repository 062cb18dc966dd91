from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from spikelore.casebase import CaseLibrary

from . import postgres

KINDS = ["sqlite", "postgres"]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A running PostgreSQL server."""
    reason = postgres.missing()
    if reason:
        postgres.skip_or_fail(reason)
    with postgres.server() as address:
        yield address


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Name of a database that holds an up-to-date library without any case."""
    url = postgres.fresh_database(postgres_server)
    CaseLibrary.open(url, starter=False).close()
    return url.rpartition("/")[2]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that holds an up-to-date library without any case."""
    path = tmp_path_factory.mktemp("template") / "cases.db"
    CaseLibrary.open(f"sqlite:///{path}", starter=False).close()
    return path


def copy_of_template(request: pytest.FixtureRequest, folder: Path) -> str:
    """Return the address of a fresh library of the kind that a fixture is parametrised with."""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        return postgres.fresh_database(server, request.getfixturevalue("postgres_template"))
    shutil.copy(request.getfixturevalue("sqlite_template"), folder / "cases.db")
    return f"sqlite:///{folder / 'cases.db'}"


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """An empty PostgreSQL database."""
    return postgres.fresh_database(postgres_server)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh library of each kind."""
    return copy_of_template(request, tmp_path)


@pytest.fixture
def library(url: str) -> Iterator[CaseLibrary]:
    """A library without starter cases, on each kind of database."""
    with CaseLibrary.open(url, starter=False) as opened:
        yield opened


@pytest.fixture(scope="module", params=KINDS)
def shared_library(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CaseLibrary]:
    """A library that the tests of one module read together, on each kind of database."""
    with CaseLibrary.open(
        copy_of_template(request, tmp_path_factory.mktemp("shared")), starter=False
    ) as opened:
        yield opened


@pytest.fixture(scope="module", params=KINDS)
def starter_library(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CaseLibrary]:
    """A library with the starter cases, on each kind of database; for reading only."""
    with CaseLibrary.open(
        copy_of_template(request, tmp_path_factory.mktemp("starter")), starter=True
    ) as opened:
        yield opened
