"""First schema: incidents, what is known of them, and the full-text index.

The index hangs on the document table: FTS5 over whole words on SQLite, a tsvector with GIN on
PostgreSQL. Trigrams (FTS5's tokenizer, pg_trgm) lie over the distinct words only, where misspelt
queries are mended: that index stays small however many incidents there are.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "tag", "note", "fix_attempt", "fingerprint", "evidence_window", "document", "diagnosis", "attachment",
    "word", "setting", "run", "incident",
)  # fmt: skip

LISTED_BY = {
    "state": "lower(state)",
    "project": "lower(project)",
    "cause": "(CASE WHEN confirmed <> '' THEN confirmed ELSE predicted END)",
}
"""What lists are filtered by, newest first."""

FTS5_OPTIONS = "tokenize=\"unicode61 remove_diacritics 0 tokenchars ':._-~='\""

SQLITE_INDEX = (
    f"""CREATE VIRTUAL TABLE document_index USING fts5(
        title_terms, body_terms, facets, content='document', content_rowid='incident', {FTS5_OPTIONS})""",
    """CREATE TRIGGER document_added AFTER INSERT ON document BEGIN
        INSERT INTO document_index(rowid, title_terms, body_terms, facets)
        VALUES (new.incident, new.title_terms, new.body_terms, new.facets); END""",
    """CREATE TRIGGER document_removed AFTER DELETE ON document BEGIN
        INSERT INTO document_index(document_index, rowid, title_terms, body_terms, facets)
        VALUES ('delete', old.incident, old.title_terms, old.body_terms, old.facets); END""",
    """CREATE TRIGGER document_changed AFTER UPDATE ON document BEGIN
        INSERT INTO document_index(document_index, rowid, title_terms, body_terms, facets)
        VALUES ('delete', old.incident, old.title_terms, old.body_terms, old.facets);
        INSERT INTO document_index(rowid, title_terms, body_terms, facets)
        VALUES (new.incident, new.title_terms, new.body_terms, new.facets); END""",
    "CREATE VIRTUAL TABLE document_vocabulary USING fts5vocab('document_index', 'row')",
    """CREATE VIRTUAL TABLE word_index USING fts5(
        word, content='word', content_rowid='key', tokenize='trigram')""",
    """CREATE TRIGGER word_added AFTER INSERT ON word BEGIN
        INSERT INTO word_index(rowid, word) VALUES (new.key, new.word); END""",
)

POSTGRES_INDEX = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    """ALTER TABLE document ADD COLUMN terms tsvector GENERATED ALWAYS AS (array_to_tsvector(
        array_remove(string_to_array(title_terms || ' ' || body_terms || ' ' || facets, ' '), ''))) STORED""",
    "CREATE INDEX document_index ON document USING gin (terms) WITH (fastupdate = on)",
    # The default sample of 100 most common lexemes hides which words are too common to search by.
    "ALTER TABLE document ALTER COLUMN terms SET STATISTICS 1000",
    "CREATE INDEX word_index ON word USING gin (word gin_trgm_ops)",
)


def _key() -> Any:
    return sa.Column("key", sa.Integer(), nullable=False)


def _string(name: str, nullable: bool = False) -> Any:
    return sa.Column(name, sa.String(), nullable=nullable)


def _text(*names: str) -> list[Any]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _number(*names: str, nullable: bool = True) -> list[Any]:
    return [sa.Column(name, sa.Float(), nullable=nullable) for name in names]


def _whole(name: str, nullable: bool = True) -> Any:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _blob(name: str = "body") -> Any:
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def _child(
    name: str, *columns: Any, primary: tuple[str, ...] = ("key",), unique: tuple[str, ...] = ()
) -> None:
    """Create a table whose rows belong to an incident and go with it."""
    constraints: list[Any] = [
        sa.ForeignKeyConstraint(["incident"], ["incident.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(*primary),
    ]
    if unique:
        constraints.append(sa.UniqueConstraint(*unique))
    keys = [_key()] if primary == ("key",) else []
    op.create_table(name, *keys, sa.Column("incident", sa.Integer(), nullable=False), *columns, *constraints)
    if primary == ("key",):
        op.create_index(f"ix_{name}_incident", name, ["incident"])


def upgrade() -> None:
    """Create everything."""
    _create_run()
    _create_incident()
    _create_children()
    _create_remarks()
    op.create_table("setting", _string("name"), *_text("value"), sa.PrimaryKeyConstraint("name"))
    op.create_table(
        "word", _key(), _string("word"), sa.PrimaryKeyConstraint("key"), sa.UniqueConstraint("word")
    )
    postgres = op.get_bind().dialect.name == "postgresql"
    for statement in POSTGRES_INDEX if postgres else SQLITE_INDEX:
        op.execute(sa.text(statement.replace(":", r"\:")))


def _create_run() -> None:
    op.create_table(
        "run",
        _key(),
        _string("id"),
        *_text("name", "project"),
        _string("lineage"),
        *_text("command", "settings", "checkpoints", "started_from"),
        _string("state"),
        sa.Column("exit_code", sa.Integer()),
        _whole("last_step"),
        *_number("last_epoch", "last_loss"),
        *_number("created", nullable=False),
        *_number("ended"),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_run_lineage", "run", ["lineage"])


def _create_incident() -> None:
    op.create_table(
        "incident",
        _key(),
        _string("id"),
        _string("state"),
        *_text("title", "title_zh", "summary", "summary_zh"),
        _string("run"),
        _string("lineage"),
        _whole("step"),
        *_number("epoch"),
        sa.Column("batch", sa.Integer()),
        *_number("train_before", "train_after", "val_before", "val_after"),
        _string("verdict"),
        _string("pattern", nullable=True),
        sa.Column("nonfinite", sa.Boolean(), nullable=False),
        sa.Column("recovered", sa.Boolean(), nullable=False),
        _string("predicted"),
        *_number("certainty"),
        *[_string(name) for name in ("confirmed", "project", "framework", "model_type", "host", "source")],
        *_text("reference"),
        *_number("created", "updated", nullable=False),
        *_number("resolved"),
        _string("resolved_by"),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("id"),
    )
    for column in ("run", "lineage", "created"):
        op.create_index(f"ix_incident_{column}", "incident", [column])
    for name, expression in LISTED_BY.items():
        op.create_index(f"ix_incident_by_{name}", "incident", [sa.text(expression), "created"])


def _create_children() -> None:
    _child(
        "diagnosis",
        _string("digest"),
        *_text("body"),
        *_number("created", nullable=False),
        unique=("incident", "digest"),
    )
    _child(
        "evidence_window",
        _whole("first_step", False),
        _whole("last_step", False),
        _blob(),
        primary=("incident",),
    )
    _child("fingerprint", *_text("facts", "fired"), _blob("shape"), primary=("incident",))
    _child("document", *_text("text", "title_terms", "body_terms", "facets"), primary=("incident",))
    _child(
        "fix_attempt",
        _string("id"),
        _string("fix"),
        *_text("text"),
        _string("outcome"),
        *_number("before", "after"),
        *[_string(name) for name in ("by", "run", "decided")],
        *_number("created", nullable=False),
        unique=("id",),
    )
    op.create_index("ix_fix_attempt_fix", "fix_attempt", ["fix"])


def _create_remarks() -> None:
    _child(
        "note",
        _string("id"),
        *_text("text"),
        _string("by"),
        *_number("created", nullable=False),
        unique=("id",),
    )
    _child("tag", _string("name"), primary=("incident", "name"))
    op.create_index("ix_tag_name", "tag", ["name"])
    _child(
        "attachment",
        *[_string(name) for name in ("name", "media")],
        sa.Column("size", sa.Integer(), nullable=False),
        _string("sha256"),
        _blob(),
        *_number("created", nullable=False),
        unique=("incident", "sha256"),
    )


def downgrade() -> None:
    """Remove everything."""
    if op.get_bind().dialect.name == "sqlite":
        for name in ("word_index", "document_vocabulary", "document_index"):
            op.execute(f"DROP TABLE {name}")
    for name in TABLES:
        op.drop_table(name)
