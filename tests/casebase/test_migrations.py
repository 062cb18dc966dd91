from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from spikelore.casebase import CaseError, CaseLibrary, FixTried, schema
from spikelore.casebase.database import Database
from spikelore.casebase.tables import Table
from sqlalchemy import text

from .samples import EXPLODING, diagnosis, manifest

VERSIONS = Path(schema.__file__).parent / "migrations"


def revisions() -> list[str]:
    """Return every released schema, oldest first."""
    return [script.revision for script in ScriptDirectory(str(VERSIONS)).walk_revisions()][::-1]


def test_head_is_the_newest_migration() -> None:
    """The constant that spares alembic at start-up names the newest revision."""
    assert revisions()[-1] == schema.HEAD


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection:sqlalchemy.exc.SAWarning")
def test_migrations_make_the_tables_that_the_code_uses(library: CaseLibrary) -> None:
    """No column is missing, superfluous or of another type; the full-text index is made by hand."""
    ours = set(Table.metadata.tables)

    def is_ours(thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        if kind == "table":
            return name in ours
        return name not in ("terms", "document_index", "word_index") and "_by_" not in str(name)

    with library.database.session() as session:
        options = {"include_object": is_ours, "compare_type": True}
        context = MigrationContext.configure(session.connection(), opts=options)
        assert compare_metadata(context, Table.metadata) == []


def fill(library: CaseLibrary) -> None:
    """Write a row into every table."""
    incident = library.open_incident(diagnosis(), manifest())
    library.resolve(incident, EXPLODING, [FixTried("fix.clip-gradients", "worked")], "noted", "ann")
    library.tag(incident, "kept")
    library.attach(incident, "log.txt", b"log")


def rows(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with database.reader() as reader:
        return {
            table.name: sorted(
                reader.rows(f"SELECT {', '.join(c.name for c in table.columns)} FROM {table.name}")
            )
            for table in Table.metadata.sorted_tables
        }


@pytest.mark.parametrize("start", revisions())
def test_upgrade_from_every_release_keeps_every_row(library: CaseLibrary, start: str) -> None:
    """A library of any released schema comes up to date, and down again, without losing a row."""
    fill(library)
    before = rows(library.database)
    with library.database.session() as session:
        schema.migrate(session.connection(), start)
    assert schema.current(library.database) == start
    schema.ensure_current(library.database)
    assert rows(library.database) == before
    assert library.search("noted")


def test_downgrade_to_nothing_and_up_again(library: CaseLibrary) -> None:
    """Every migration can be undone; the library then starts anew."""
    fill(library)
    with library.database.session() as session:
        schema.migrate(session.connection(), "base")
    library.close()
    assert schema.current(library.database) is None
    assert schema.ensure_current(library.database)
    assert library.list() == []


def test_a_failed_migration_leaves_nothing_half_done(tmp_path: Path) -> None:
    """Migrations run in one transaction, on SQLite too."""
    database = Database(f"sqlite:///{tmp_path / 'cases.db'}")

    def fail_in_the_middle() -> None:
        with database.session() as session:
            schema.migrate(session.connection(), schema.HEAD)
            session.execute(text("SELECT * FROM no_such_table"))

    with pytest.raises(CaseError, match="no such table"):
        fail_in_the_middle()
    with database.reader() as reader:
        assert reader.rows("SELECT name FROM sqlite_master") == []


def test_a_newer_schema_is_refused(library: CaseLibrary) -> None:
    """A library that a later version wrote is left alone, with a sentence."""
    with library.database.session() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CaseError, match="9999 is newer than this spikelore knows"):
        CaseLibrary.open(library.database.url)


def test_processes_that_open_a_new_library_at_once_agree(tmp_path: Path) -> None:
    """Only one of them creates the tables and the starter cases, and all of them work."""
    code = (
        "import sys; from spikelore.casebase import CaseLibrary\n"
        "print(len(CaseLibrary.open(sys.argv[1]).list(limit=1000)))"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path / 'cases.db'}"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    counts = {process.communicate(timeout=60)[0].strip() for process in started}
    assert len(counts) == 1
    assert int(counts.pop()) >= 50


@pytest.mark.parametrize(
    "address", ["", "cases.db", "mysql://x/y", "sqlite://", "sqlite:///", "sqlite:///:memory:"]
)
def test_an_address_that_is_none(address: str) -> None:
    """A wrong address is refused with what is valid."""
    with pytest.raises(CaseError, match="valid: sqlite:///FILE or postgresql://"):
        Database(address or "x")


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    """The message says which library, and keeps the secret."""
    with pytest.raises(CaseError) as caught:
        CaseLibrary.open("postgresql://ann:secret@127.0.0.1:1/cases")
    assert "ann@127.0.0.1:1/cases" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_library(tmp_path: Path) -> None:
    """Another kind of file is not taken for a library, nor changed."""
    path = tmp_path / "cases.db"
    path.write_text("not a database at all, " * 50)
    with pytest.raises(CaseError, match=r"cases\.db: file is not a database"):
        CaseLibrary.open(f"sqlite:///{path}")
    assert path.read_text().startswith("not a database")


def test_opening_an_up_to_date_library_needs_neither_sqlmodel_nor_alembic(tmp_path: Path) -> None:
    """Searching starts fast: the heavy libraries are for writing and for migrations."""
    url = f"sqlite:///{tmp_path / 'cases.db'}"
    CaseLibrary.open(url).close()
    code = (
        "import sys; from spikelore.casebase import CaseLibrary\n"
        "library = CaseLibrary.open(sys.argv[1]); assert library.search('gradient'); library.list()\n"
        "print(sorted({'sqlmodel', 'sqlalchemy', 'alembic', 'numpy', 'pandas', 'torch', 'textual', 'yaml'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
