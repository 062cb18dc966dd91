"""The loop closed: a later run of the same job shows by itself whether a fix worked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from ..rules.diagnosis import Diagnosis
from .changes import VISIBLE, Change, changes_between
from .lineage import describe_run, lineage_of
from .reading import whole
from .resolving import put_fix
from .store import reader_of
from .values import Case, FixTried, Loss, Outcome, spell

if TYPE_CHECKING:
    from sqlmodel import Session

    from ..probes.evidence.reader import RunEvidence
    from .database import Reader
    from .library import CaseLibrary
    from .tables import Run

_LEAST_PAST = 20
_PAST_SHARE = 0.05
"""A run has passed the place of a spike when it is this far beyond it."""
_MOST_EARLIER = 20
_TAIL = 50
"""Losses at the end of a run whose median is the level reached."""


class Progress(msgspec.Struct):
    """How far a run came, in the steps of the run that it continues."""

    offset: int
    """Step of the earlier run at which this one began; 0 for one from scratch."""
    last_step: int
    last_epoch: float | None
    level: Loss
    saved: dict[str, int]
    """SHA-256 of every checkpoint saved, and the step it was saved at."""
    loaded: str
    """SHA-256 of the checkpoint that it started from."""


def settle(library: CaseLibrary, run: RunEvidence, diagnosis: Diagnosis) -> list[str]:
    """Mark the fixes of earlier incidents of the same job by what this run shows, and tell which.

    What a person said about a fix stands.

    Raises:
        CaseError: the library cannot be written.
    """
    told = []
    with library.database.session() as session:
        reader = reader_of(session, library.database.postgres)
        progress = progress_of(run, reader)
        row = _keep_run(library, session, run, progress)
        for key in _earlier(reader, run, progress):
            case = whole(reader, key)
            outcome = judge(case, diagnosis, progress)
            if outcome != "unknown" and not _is_settled(case, run.manifest.id):
                told += _mark(library, session, key, case, (run, row, progress, outcome))
    return told


def progress_of(run: RunEvidence, reader: Reader) -> Progress:
    """Return how far a run came; a resumed one counts on from where its checkpoint was saved."""
    rank = run.primary
    loads = [event.data.get("sha256") for event in rank.events_named("checkpoint.load")]
    loaded = next((str(digest) for digest in loads if digest), "")
    losses = [float(v) for step in rank.steps[-_TAIL:] if isinstance(v := step.v.get("loss"), float | int)]
    return Progress(
        offset=_saved_at(reader, loaded) if loaded else 0,
        last_step=rank.steps[-1].step if rank.steps else 0,
        last_epoch=rank.steps[-1].epoch if rank.steps else None,
        level=spell(median(losses)) if losses else None,
        saved={
            str(event.data["sha256"]): event.step
            for event in rank.events_named("checkpoint.save")
            if event.data.get("sha256")
        },
        loaded=loaded,
    )


def _saved_at(reader: Reader, digest: str) -> int:
    for (text,) in reader.rows("SELECT checkpoints FROM run WHERE checkpoints LIKE ?", [f"%{digest}%"]):
        saved: dict[str, int] = msgspec.json.decode(text)
        if digest in saved:
            return saved[digest]
    return 0


def _keep_run(library: CaseLibrary, session: Session, run: RunEvidence, progress: Progress) -> Run:
    """Write what is known of the run, and return its row."""
    from sqlalchemy import select

    from .tables import Run

    values = {
        **describe_run(run.manifest),
        "checkpoints": msgspec.json.encode(progress.saved).decode(),
        "started_from": progress.loaded,
        "last_step": progress.last_step,
        "last_epoch": progress.last_epoch,
        "last_loss": progress.level,
    }
    insert = library.store.insert(Run).values(id=run.manifest.id, **values)
    session.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
    column: Any = Run.id
    row: Run = session.execute(select(Run).where(column == run.manifest.id)).scalar_one()
    return row


def _earlier(reader: Reader, run: RunEvidence, progress: Progress) -> Iterator[int]:
    """Yield the keys of incidents of earlier runs of the same job, or of the run that this one resumed."""
    lineage = lineage_of(run.manifest)
    parents = (
        reader.rows("SELECT id FROM run WHERE checkpoints LIKE ?", [f"%{progress.loaded}%"])
        if progress.loaded
        else []
    )
    marks = ", ".join("?" * len(parents)) or "''"
    rows = reader.rows(
        "SELECT incident.key, coalesce(run.created, incident.created) AS began FROM incident "
        "LEFT JOIN run ON run.id = incident.run "
        f"WHERE incident.run <> ? AND ((incident.lineage = ? AND incident.lineage <> '') "
        f"OR incident.run IN ({marks})) ORDER BY began DESC LIMIT ?",
        [run.manifest.id, lineage, *(parent for (parent,) in parents), _MOST_EARLIER],
    )
    yield from (key for key, began in rows if began < run.manifest.created)


def judge(case: Case, diagnosis: Diagnosis, progress: Progress) -> Outcome:
    """Return what a later run shows of an incident, ``unknown`` until it is past its place."""
    if case.step is None:
        return _judge_epoch(case, diagnosis, progress)
    margin = max(_LEAST_PAST, round(_PAST_SHARE * case.step))
    spike = diagnosis.spike
    if spike is None or spike.step is None or diagnosis.verdict not in ("spike", "insufficient"):
        return "worked" if progress.offset + progress.last_step >= case.step + margin else "unknown"
    at = progress.offset + spike.step
    if _same_cause(case, diagnosis) or abs(at - case.step) <= margin:
        return "failed"
    return "worked" if at > case.step + margin else "unknown"


def _judge_epoch(case: Case, diagnosis: Diagnosis, progress: Progress) -> Outcome:
    """Judge an incident that is only known by its epoch."""
    if case.epoch is None or progress.last_epoch is None:
        return "unknown"
    if diagnosis.verdict == "spike":
        return "failed" if _same_cause(case, diagnosis) else "unknown"
    return "worked" if progress.last_epoch >= case.epoch + 2 else "unknown"


def _same_cause(case: Case, diagnosis: Diagnosis) -> bool:
    return bool(diagnosis.causes) and diagnosis.causes[0].id == case.cause


def _mark(
    library: CaseLibrary,
    session: Session,
    key: int,
    case: Case,
    shown: tuple[RunEvidence, Run, Progress, Outcome],
) -> list[str]:
    """Write the outcome to the attempts that the run carries."""
    from .tables import Incident

    run, row, progress, outcome = shown
    reader = reader_of(session, library.database.postgres)
    changes = changes_between(reader, case, run, row)
    carried = [fix for fix in case.fixes if _is_open(fix, run.manifest.id) and _carries(changes, fix)]
    attempts = carried or _found(changes)
    incident = session.get_one(Incident, key)
    incident.updated = time.time()
    for fix in attempts:
        fix.outcome, fix.after, fix.run, fix.decided = outcome, progress.level, run.manifest.id, "run"
        fix.created = fix.created or incident.updated
        put_fix(library, session, key, incident, fix)
    library.store.refresh(session, key)
    return [f"incident {case.id}: {fix.fix or fix.text} {outcome}" for fix in attempts]


def _is_settled(case: Case, run: str) -> bool:
    """Tell whether it is known what worked: every later healthy run would add its own account otherwise."""
    return any(
        fix.outcome == "worked" and not (fix.decided == "run" and fix.run == run) for fix in case.fixes
    )


def _is_open(fix: FixTried, run: str) -> bool:
    """Tell whether a later run may speak about an attempt."""
    return fix.outcome == "unknown" or (fix.decided == "run" and fix.run == run)


def _carries(changes: list[Change], fix: FixTried) -> bool:
    """Tell whether a run carries a fix; where no trace can be seen, the word of who noted it counts."""
    traces = {change.fix for change in changes}
    return fix.fix in traces or fix.fix not in VISIBLE


def _found(changes: list[Change]) -> list[FixTried]:
    """Return what was changed without anybody noting it, or that nothing was."""
    if not changes:
        return [FixTried("fix.run-again", text="Run again without any change that was seen.")]
    return [FixTried(change.fix, text=change.text) for change in changes]
