"""What alembic runs: the migrations, on the connection and in the transaction it was handed."""

from __future__ import annotations

from alembic import context
from spikelore.casebase.tables import Table

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    # SQLite rolls back a half-done migration too, as the driver leaves transactions alone.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
