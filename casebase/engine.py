"""The SQLAlchemy engine of a library, with the settings that durability and concurrency need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event

from .database import BUSY_SECONDS, driver_url
from .errors import CaseError

if TYPE_CHECKING:
    from .database import Database


def make_engine(database: Database) -> Engine:
    """Return the engine of a database.

    Raises:
        CaseError: the folder of the file cannot be made.
    """
    if database.path is None:
        address = driver_url(database.url).replace("postgresql://", "postgresql+psycopg://", 1)
        return create_engine(address, pool_pre_ping=True)
    try:
        database.path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaseError(f"case library {database.path}: {error.strerror}") from error
    engine = create_engine(f"sqlite:///{database.path}", connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediately)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling would commit in the middle of a migration.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = wal",
        # An acknowledged incident must outlive a power cut, so every commit reaches the disk.
        "synchronous = full",
        "foreign_keys = on",
        "cache_size = -65536",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediately(connection: Connection) -> None:
    # A transaction that starts as a reader cannot wait for its turn to write: SQLite refuses at once.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
