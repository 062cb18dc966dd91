"""Opening an incident from a diagnosis, once per run and onset however often it is asked for."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from zlib import crc32

from sqlalchemy import select, text

from . import tables
from .errors import CaseError
from .fingerprint import of_diagnosis
from .identity import incident_id
from .lineage import describe_run, lineage_of
from .masking import masked_host
from .titles import title_of
from .values import Case, Loss, Told, Window

if TYPE_CHECKING:
    from sqlmodel import Session

    from ..probes.evidence.rundir import RunManifest
    from ..rules.diagnosis import Diagnosis, Level
    from .library import CaseLibrary

_NEAR_STEPS = 20
_NEAR_SHARE = 0.002
_LOCK_SPACE = 0x5B1CE
_FRAMEWORKS = {
    "lightning": "lightning",
    "pytorch_lightning": "lightning",
    "transformers": "transformers",
    "torch": "torch",
}
"""Framework by the library that was imported, the most telling first."""


def open_incident(library: CaseLibrary, case: Case, manifest: RunManifest, shape: bytes, sole: bool) -> str:
    """Open the incident of a diagnosis, or bring the one that is open up to date; return its id.

    Args:
        library: where.
        case: see `case_of`.
        manifest: of the run.
        shape: see `fingerprint.shape`.
        sole: the run had one alarm at most, so wherever a second look places the onset, it is the same.

    Raises:
        CaseError: the diagnosis found no incident.
    """
    diagnosis = case.diagnosis
    assert diagnosis is not None  # noqa: S101 - it is what the case was made of
    if diagnosis.spike is None and diagnosis.verdict != "pattern":
        raise CaseError(
            f"run {manifest.id}: the verdict is {diagnosis.verdict!r} without an onset; valid is a diagnosis "
            "that names a spike or a pattern"
        )
    with library.database.session() as session:
        _wait_turn(session, manifest.id, library.database.postgres)
        _note_run(library, session, manifest)
        key, known = _same_onset(session, case, sole)
        if key is None:
            library.store.add(session, [case], [of_diagnosis(diagnosis, shape)])
            return case.id
        case.id = known
        _update(session, key, case)
        library.store.attach(session, key, case)
        library.store.forget_old_diagnoses(session, key)
        if case.window:
            library.store.put_window(session, key, case.window)
        library.store.refresh(session, key, of_diagnosis(diagnosis, shape))
    return known


def case_of(
    diagnosis: Diagnosis, manifest: RunManifest, window: Window | None = None, told: Told | None = None
) -> Case:
    """Return the case that a diagnosis of a run makes.

    Args:
        diagnosis: what was found.
        manifest: of the run.
        window: evidence round the onset.
        told: what else is known.
    """
    told = told or Told()
    spike = diagnosis.spike
    step, epoch = (spike.step, spike.epoch) if spike else (None, None)
    case = Case(
        id=incident_id(manifest.id, step, epoch),
        run=manifest.id,
        lineage=lineage_of(manifest),
        verdict=diagnosis.verdict,
        pattern=diagnosis.pattern,
        summary=diagnosis.reason if diagnosis.lang == "en" else "",
        summary_zh=diagnosis.reason if diagnosis.lang == "zh" else "",
        project=manifest.project,
        host=masked_host(manifest.host),
        source=manifest.source,
        framework=_framework(manifest),
        model_type=str(manifest.settings.get("model") or told.model),
        created=time.time(),
        diagnosis=diagnosis,
        window=window,
    )
    if spike:
        case.step, case.epoch, case.batch = spike.step, spike.epoch, spike.batch
        case.nonfinite, case.recovered = spike.nonfinite, spike.recovered
        case.train_before, case.train_after = _level(spike.train)
        case.val_before, case.val_after = _level(spike.val)
    if diagnosis.causes:
        case.predicted, case.certainty = diagnosis.causes[0].id, diagnosis.causes[0].certainty
    case.title, case.title_zh = (title_of(case, told, lang) for lang in ("en", "zh"))
    return case


def _level(level: Level | None) -> tuple[Loss, Loss]:
    return (level.before, level.after) if level else (None, None)


def _framework(manifest: RunManifest) -> str:
    return next((name for part, name in _FRAMEWORKS.items() if part in manifest.versions), "")


def _wait_turn(session: Session, run: str, postgres: bool) -> None:
    """Let one writer at a time decide whether a run's incident is new; SQLite has one writer anyway."""
    if postgres:
        key = crc32(run.encode()) - (1 << 31)
        session.execute(
            text("SELECT pg_advisory_xact_lock(:space, :key)"), {"space": _LOCK_SPACE, "key": key}
        )


def _same_onset(session: Session, case: Case, sole: bool) -> tuple[int | None, str]:
    """Return the key and id of the incident of this run at this onset.

    A second look, with more evidence, may place the onset a few steps earlier.
    """
    row: Any = tables.Incident
    columns = select(row.key, row.id, row.step, row.epoch, row.state)
    rows = session.execute(columns.where(row.run == case.run)).all()
    if sole and len(rows) == 1 and rows[0].state == "open":
        return rows[0].key, rows[0].id
    for key, identifier, step, epoch, _ in rows:
        if step is not None and case.step is not None:
            same = abs(step - case.step) <= max(_NEAR_STEPS, _NEAR_SHARE * step)
        elif epoch is not None and case.epoch is not None:
            same = abs(epoch - case.epoch) <= 1
        else:
            same = (step, epoch) == (case.step, case.epoch)
        if same:
            return key, identifier
    return None, ""


def _update(session: Session, key: int, case: Case) -> None:
    """Take over what the newer diagnosis says; what people confirmed stays."""
    row = session.get_one(tables.Incident, key)
    for name in (
        "step", "epoch", "batch", "train_before", "train_after", "val_before", "val_after", "verdict",
        "pattern", "nonfinite", "recovered", "predicted", "certainty", "title", "title_zh", "summary",
        "summary_zh",
    ):  # fmt: skip
        setattr(row, name, getattr(case, name))
    for name in ("project", "framework", "model_type"):
        # A first diagnosis may come before the job has told what it is built of.
        setattr(row, name, getattr(row, name) or getattr(case, name))
    row.updated = case.updated = time.time()


def _note_run(library: CaseLibrary, session: Session, manifest: RunManifest) -> None:
    values = describe_run(manifest)
    statement = library.store.insert(tables.Run).values(id=manifest.id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
