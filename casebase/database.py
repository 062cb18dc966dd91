"""Where the library lives: one SQLite file, or a PostgreSQL server for a team.

Writing goes through SQLModel. Reading for search goes straight to the driver: `spikelore search` has to
answer in less time than importing SQLModel takes.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..probes.evidence.home import home
from .errors import CaseError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlmodel import Session

VALID = "valid: sqlite:///FILE or postgresql://USER@HOST/DATABASE"
BUSY_SECONDS = 60.0
_IDLE_READERS = 4


class DriverConnection(Protocol):
    """What `sqlite3` and `psycopg` have in common."""

    def execute(self, sql: str, params: Sequence[Any] = ..., /) -> Any: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Reader:
    """Runs queries; parameters are written ``?`` on both databases."""

    def __init__(self, connection: DriverConnection, postgres: bool, place: str = "") -> None:
        self.connection = connection
        self.postgres = postgres
        self.place = place
        """Which library, for what is remembered about it in this process."""

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        if self.postgres:
            sql = sql.replace("?", "%s")
        return list(self.connection.execute(sql, params).fetchall())

    def run(self, sql: str, params: Sequence[Any]) -> None:
        """Run a statement that has no rows to return."""
        self.connection.execute(sql.replace("?", "%s") if self.postgres else sql, params)

    def value(self, sql: str, params: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, None where there is no row."""
        rows = self.rows(sql, params)
        return rows[0][0] if rows else None


def default_url() -> str:
    """Return ``$SPIKELORE_DB``, or the SQLite file in the home folder."""
    return os.environ.get("SPIKELORE_DB") or f"sqlite:///{home() / 'cases.db'}"


class Database:
    """Connections to one library.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql://…``; the default place where None.

    Raises:
        CaseError: the URL is of no kind that is known.
    """

    def __init__(self, url: str | None = None) -> None:
        self.url = url or default_url()
        scheme, separator, rest = self.url.partition("://")
        self.postgres = scheme in ("postgresql", "postgres", "postgresql+psycopg")
        self.path: Path | None = None
        if not separator or not (self.postgres or scheme == "sqlite"):
            raise CaseError(f"case library {_public(self.url)!r}: not a database address; {VALID}")
        if not self.postgres:
            if not rest.startswith("/") or rest in ("/", "/:memory:"):
                raise CaseError(f"case library {self.url!r}: names no file; {VALID}")
            self.path = Path(rest[1:]).expanduser()
        self._idle: list[Reader] = []
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """The address without its password, for messages."""
        return str(self.path) if self.path else _public(self.url)

    @cached_property
    def engine(self) -> Engine:
        """The SQLAlchemy engine."""
        from .engine import make_engine

        return make_engine(self)

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Lend a connection for reading.

        Raises:
            CaseError: the database cannot be reached or the query failed.
        """
        with self._lock:
            reader = self._idle.pop() if self._idle else None
        with self._translated():
            reader = reader or self._connect()
            try:
                yield reader
            except BaseException:
                # What state the connection is in is anybody's guess.
                reader.connection.close()
                raise
        with self._lock:
            if len(self._idle) < _IDLE_READERS:
                self._idle.append(reader)
                return
        reader.connection.close()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Lend a session in one writing transaction, committed at the end.

        Raises:
            CaseError: the database cannot be reached or refused.
        """
        from sqlmodel import Session

        with self._translated(), Session(self.engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    def close(self) -> None:
        """Close every connection."""
        while self._idle:
            self._idle.pop().connection.close()
        if "engine" in self.__dict__:
            self.engine.dispose()
            del self.__dict__["engine"]

    def _connect(self) -> Reader:
        if self.path is None:
            import psycopg

            return Reader(psycopg.connect(driver_url(self.url), autocommit=True), True, self.url)
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA query_only = on")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA mmap_size = 1073741824")
        return Reader(connection, postgres=False)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn a driver's error into one that names the library."""
        try:
            yield
        except sqlite3.Error as error:
            raise CaseError(f"case library {self.place}: {error}") from error
        except ModuleNotFoundError as error:
            raise CaseError(
                f"case library {self.place}: needs the Python module {error.name!r}; "
                "install spikelore[postgres]"
            ) from error
        except Exception as error:
            # The two libraries are imported lazily, so their error types are told by module.
            if type(error).__module__.partition(".")[0] in ("psycopg", "sqlalchemy"):
                cause = getattr(error, "orig", None) or error
                raise CaseError(f"case library {self.place}: {' '.join(str(cause).split())}") from error
            raise


def driver_url(url: str) -> str:
    """Return the address as psycopg reads it."""
    return "postgresql://" + url.partition("://")[2]


def _public(url: str) -> str:
    head, at, tail = url.rpartition("@")
    if not at:
        return url
    scheme, _, login = head.partition("://")
    return f"{scheme}://{login.partition(':')[0]}@{tail}"
