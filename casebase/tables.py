"""The tables of the case library, the same on SQLite and PostgreSQL.

Rows that can be shared between libraries carry a content id: the same thing stored twice, on two
machines or after an import, has the same id, so merging never doubles it. Integer keys are local.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, LargeBinary, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from .columns import CleanString, CleanText, LossType


class Table(SQLModel, registry=registry()):
    """Base of the tables; a registry of its own, as a host program may have tables of the same names."""


def _loss() -> Any:
    return Field(default=None, sa_type=LossType)


def _text(default: str = "") -> Any:
    return Field(default=default, sa_type=CleanText)


def _word(index: bool = False) -> Any:
    return Field(default="", sa_type=CleanString, index=index)


def _parent() -> Any:
    return Field(foreign_key="incident.key", ondelete="CASCADE", index=True)


class Run(Table, table=True):
    """A training run that met an incident, or carried the fix of one."""

    key: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    name: str = _text()
    project: str = _text()
    lineage: str = Field(default="", index=True)
    command: str = _text()
    """The command with paths and secrets masked."""
    settings: str = _text("{}")
    """Hyper-parameters, versions and git state, JSON."""
    checkpoints: str = _text("[]")
    """Hashes of the checkpoints it saved, JSON."""
    started_from: str = _text()
    """Hash of the checkpoint it loaded."""
    state: str = "running"
    exit_code: int | None = None
    last_step: int | None = Field(default=None, sa_type=BigInteger)
    last_epoch: float | None = None
    last_loss: float | None = _loss()
    created: float = 0.0
    ended: float | None = None


class Incident(Table, table=True):
    """A loss spike, open from the alarm until somebody resolves it."""

    key: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    state: str = "open"
    title: str = _text()
    title_zh: str = _text()
    summary: str = _text()
    summary_zh: str = _text()
    run: str = _word(index=True)
    lineage: str = _word(index=True)
    step: int | None = Field(default=None, sa_type=BigInteger)
    epoch: float | None = None
    batch: int | None = None
    train_before: float | None = _loss()
    train_after: float | None = _loss()
    val_before: float | None = _loss()
    val_after: float | None = _loss()
    verdict: str = "spike"
    pattern: str | None = Field(default=None, sa_type=CleanString)
    nonfinite: bool = False
    recovered: bool = False
    predicted: str = _word()
    certainty: float | None = None
    confirmed: str = _word()
    project: str = _word()
    framework: str = _word()
    model_type: str = _word()
    host: str = _word()
    source: str = Field(default="probes", sa_type=CleanString)
    reference: str = _text()
    created: float = Field(default=0.0, index=True)
    updated: float = 0.0
    resolved: float | None = None
    resolved_by: str = _word()


class DiagnosisRow(Table, table=True):
    """One diagnosis of an incident; the newest counts, the earlier ones show how it came about."""

    __tablename__ = "diagnosis"
    __table_args__ = (UniqueConstraint("incident", "digest"),)

    key: int | None = Field(default=None, primary_key=True)
    incident: int = _parent()
    digest: str
    body: str = _text()
    """The published JSON."""
    created: float = 0.0


class EvidenceWindow(Table, table=True):
    """Columns of evidence round the onset, JSON compressed by zlib."""

    __tablename__ = "evidence_window"

    incident: int = Field(foreign_key="incident.key", ondelete="CASCADE", primary_key=True)
    first_step: int = Field(sa_type=BigInteger)
    last_step: int = Field(sa_type=BigInteger)
    body: bytes = Field(sa_type=LargeBinary)


class Fingerprint(Table, table=True):
    """The facts that held, and the shape of the curve."""

    incident: int = Field(foreign_key="incident.key", ondelete="CASCADE", primary_key=True)
    facts: str = _text("{}")
    """Fact name to value, JSON."""
    fired: str = _text("[]")
    """Names of the facts that rules built on, JSON."""
    shape: bytes = Field(default=b"", sa_type=LargeBinary)
    """The loss round the onset as int8: see `fingerprint.shape`."""


class HealthyWindow(Table, table=True):
    """A moment of a healthy run as rules would have seen it, had the loss jumped there."""

    __tablename__ = "healthy_window"
    __table_args__ = (UniqueConstraint("run", "step"),)

    key: int | None = Field(default=None, primary_key=True)
    run: str
    step: int = Field(sa_type=BigInteger)
    facts: str = _text("{}")
    """Fact name to value, JSON."""
    project: str = ""
    created: float = 0.0


class FixAttempt(Table, table=True):
    """A fix that somebody or some later run tried."""

    __tablename__ = "fix_attempt"

    key: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    incident: int = _parent()
    fix: str = _word(index=True)
    text: str = _text()
    outcome: str = "unknown"
    before: float | None = _loss()
    after: float | None = _loss()
    by: str = _word()
    run: str = _word()
    decided: str = "person"
    created: float = 0.0


class NoteRow(Table, table=True):
    """What somebody wrote."""

    __tablename__ = "note"

    key: int | None = Field(default=None, primary_key=True)
    id: str = Field(unique=True)
    incident: int = _parent()
    text: str = _text()
    by: str = _word()
    created: float = 0.0


class Tag(Table, table=True):
    """A word that groups incidents."""

    incident: int = Field(foreign_key="incident.key", ondelete="CASCADE", primary_key=True)
    name: str = Field(primary_key=True, index=True, sa_type=CleanString)


class AttachmentRow(Table, table=True):
    """A small file kept with an incident."""

    __tablename__ = "attachment"
    __table_args__ = (UniqueConstraint("incident", "sha256"),)

    key: int | None = Field(default=None, primary_key=True)
    incident: int = _parent()
    name: str = Field(sa_type=CleanString)
    media: str = "application/octet-stream"
    size: int = 0
    sha256: str
    body: bytes = Field(sa_type=LargeBinary)
    created: float = 0.0


class Document(Table, table=True):
    """What search sees of an incident; the full-text index hangs on this table."""

    incident: int = Field(foreign_key="incident.key", ondelete="CASCADE", primary_key=True)
    text: str = _text()
    """As people wrote it: snippets are cut from here."""
    title_terms: str = _text()
    body_terms: str = _text()
    facets: str = _text()


class Word(Table, table=True):
    """Every word that was ever indexed; misspelt queries are mended from here by trigrams."""

    key: int | None = Field(default=None, primary_key=True)
    word: str = Field(unique=True)


class Setting(Table, table=True):
    """What the library remembers about itself."""

    name: str = Field(primary_key=True)
    value: str = _text()
