"""From a diagnosed run to a resolved incident, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from ..probes.evidence import RunDirectory
from ..rules.diagnosis import Diagnosis
from .library import opened

if TYPE_CHECKING:
    from ..casebase import CaseLibrary


@dataclass(frozen=True)
class Resolution:
    """What somebody found out.

    Attributes:
        cause: id of the confirmed cause.
        outcomes: fix id to (``worked``, ``failed`` or ``unknown``, what was done).
        after: training loss once the fix was in.
        note: for whoever meets this next.
        by: who says so.
    """

    cause: str
    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    after: float | None = None
    note: str = ""
    by: str = ""


def resolve(run: RunDirectory, diagnosis: Diagnosis, resolution: Resolution) -> str:
    """Resolve the incident of a run, opening it if its watcher did not, and return its id.

    Raises:
        CaseError: the library is away, or refuses a value.
        EvidenceError: the run's manifest cannot be read.
    """
    from ..casebase import FixTried
    from ..casebase.values import Outcome

    before = diagnosis.spike.train.after if diagnosis.spike and diagnosis.spike.train else None
    fixes = [
        FixTried(
            fix=fix,
            outcome=cast("Outcome", outcome),
            before=before,
            after=resolution.after if outcome == "worked" else None,
            text=text,
            by=resolution.by,
        )
        for fix, (outcome, text) in resolution.outcomes.items()
    ]
    with opened() as library:
        incident = _incident(run, diagnosis, library)
        library.resolve(incident, resolution.cause, fixes, resolution.note, resolution.by)
    return incident


def _incident(run: RunDirectory, diagnosis: Diagnosis, library: CaseLibrary) -> str:
    """Return the run's incident, opened now if its watcher did not."""
    if known := find(run, diagnosis, library):
        return known
    from ..casebase.recording import record
    from ..probes.evidence.reader import RunEvidence

    recorded = record(RunEvidence.load(run), diagnosis, library)
    return recorded.incident or library.open_incident(diagnosis, run.manifest())


def find(run: RunDirectory, diagnosis: Diagnosis, library: CaseLibrary) -> str:
    """Return the id of the incident that a diagnosis is of; empty where the library has none.

    An onset may have moved by a few steps since the incident was opened, so the nearest one is meant.
    """
    from ..casebase import Filters

    onset = diagnosis.spike.step if diagnosis.spike else None
    known = library.list(Filters(run=run.manifest().id))
    nearest = min(known, key=lambda case: abs((case.step or 0) - (onset or 0)), default=None)
    return nearest.id if nearest else ""


def take_back(incident: str) -> None:
    """Undo the last resolving of an incident.

    Raises:
        CaseError: the library is away, or the incident is not resolved.
    """
    with opened() as library:
        library.unresolve(incident)
