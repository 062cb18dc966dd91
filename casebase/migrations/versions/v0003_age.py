"""The full-text index of PostgreSQL knows about how old a document is, so that the newest are found first.

A GIN index has no order: to sort what matches by age, every match had to be fetched from the table. With a
term for every 32,768 incidents the index itself leaves out the older ones. SQLite keeps its matches in order.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_WORDS = "title_terms || ' ' || body_terms || ' ' || facets"
_AGE = " || ' age:' || (incident / 32768)::text"


def upgrade() -> None:
    """Index the age too."""
    _index(_WORDS + _AGE)


def downgrade() -> None:
    """Index words and facets alone."""
    _index(_WORDS)


def _index(expression: str) -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    words = f"array_to_tsvector(array_remove(string_to_array({expression}, ' '), ''))"
    for statement in (
        "ALTER TABLE document DROP COLUMN terms",
        f"ALTER TABLE document ADD COLUMN terms tsvector GENERATED ALWAYS AS ({words}) STORED",
        "CREATE INDEX document_index ON document USING gin (terms) WITH (fastupdate = on)",
        "ALTER TABLE document ALTER COLUMN terms SET STATISTICS 1000",
    ):
        op.execute(sa.text(statement.replace(":", r"\:")))
