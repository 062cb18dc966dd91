"""Migrations of the case library, run by alembic without an ini file."""
