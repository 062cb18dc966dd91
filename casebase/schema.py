"""The schema's version: alembic is only imported when a library is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .database import Database, Reader
from .errors import CaseError

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

HEAD = "0003"
"""Newest revision in ``migrations/versions``."""

_LOCK = 0x5B1CE10E
"""Key of the PostgreSQL advisory lock that migrations hold."""


def ensure_current(database: Database) -> bool:
    """Bring the library to the newest schema and return whether anything was done.

    Raises:
        CaseError: a later version of spikelore wrote it, or it cannot be written.
    """
    if current(database) == HEAD:
        return False
    with database.session() as session:
        connection = session.connection()
        if database.postgres:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        migrate(connection, HEAD)
    return True


def current(database: Database) -> str | None:
    """Return the revision of the library, None for a new one."""
    if database.path is not None and not database.path.exists():
        return None
    with database.reader() as reader:
        return _revision(reader)


def _revision(reader: Reader) -> str | None:
    # On PostgreSQL another schema may hold a table of that name, so the search path decides.
    if reader.postgres:
        known = reader.value("SELECT to_regclass('alembic_version')")
    else:
        known = reader.value("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")
    return reader.value("SELECT version_num FROM alembic_version") if known else None


def migrate(connection: Connection, target: str) -> None:
    """Run migrations up or down to a revision within the connection's transaction.

    Raises:
        CaseError: the library has a revision that this version does not know.
    """
    from alembic import command
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = _config(connection)
    script = ScriptDirectory.from_config(config)
    present = MigrationContext.configure(connection).get_current_revision()
    known = [revision.revision for revision in script.walk_revisions()]
    if present is not None and present not in known:
        raise CaseError(
            f"case library: schema {present} is newer than this spikelore knows (up to {HEAD}); "
            "upgrade spikelore"
        )
    # Revisions are listed newest first; "base" is before all of them.
    down = target == "base" or (present is not None and known.index(target) > known.index(present))
    (command.downgrade if down else command.upgrade)(config, target)


def _config(connection: Connection) -> Config:
    from importlib.resources import files

    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files(__package__) / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
