from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from spikelore.casebase import CaseLibrary, schema
from spikelore.casebase.database import Database

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


class Reused:
    """One PostgreSQL library for many tests, emptied in between: copying a database takes far longer."""

    def __init__(self, server: str, template: str) -> None:
        self._server = server
        self._template = template
        self._url = ""

    def empty(self) -> str:
        """Return the address of an empty library; one whose schema a test changed is given up."""
        if not self._url or schema.current(Database(self._url)) != schema.HEAD:
            self._url = postgres.fresh_database(self._server, self._template)
        with psycopg.connect(self._url, autocommit=True) as connection:
            for table in ("incident", "run", "healthy_window", "word", "setting"):
                connection.execute(f"DELETE FROM {table}")
        return self._url


@pytest.fixture(scope="session")
def reused_postgres(postgres_server: str, postgres_template: str) -> Reused:
    """A PostgreSQL library that tests use one after the other."""
    return Reused(postgres_server, postgres_template)


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty library of each kind."""
    if request.param == "postgres":
        return str(request.getfixturevalue("reused_postgres").empty())
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
