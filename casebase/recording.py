"""From a diagnosis to the library: the incident is opened, the advice filled in, the loop closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..rules.diagnosis import Diagnosis
from .curves import shape_of, window_of
from .healthy import keep
from .lineage import lineage_of
from .values import Told

if TYPE_CHECKING:
    from ..probes.evidence.reader import RunEvidence
    from ..probes.evidence.rundir import RunManifest
    from .library import CaseLibrary


class Recorded(msgspec.Struct):
    """What the library made of a diagnosis."""

    diagnosis: Diagnosis
    """The same diagnosis with the fixes' record and the similar incidents filled in."""
    incident: str | None = None
    """Id of the incident, None where the run had none."""
    settled: list[str] = []
    """Earlier incidents of the same job that this run showed an outcome of, as sentences."""


def is_incident(diagnosis: Diagnosis) -> bool:
    """Tell whether a diagnosis is of something that belongs into the library.

    What is no fault, such as overfitting, does not; a loss that is not finite always does.
    """
    spike = diagnosis.spike
    if spike is not None and spike.nonfinite:
        return True
    return diagnosis.verdict == "spike" or (diagnosis.verdict == "insufficient" and spike is not None)


def record(run: RunEvidence, diagnosis: Diagnosis, library: CaseLibrary) -> Recorded:
    """Keep a run's diagnosis in the library and return what the library has to say on it.

    Asked again for the same run, the same incident is brought up to date.

    Raises:
        CaseError: the library cannot be written.
    """
    manifest = _described(run)
    shape = shape_of(run, diagnosis.spike)
    incident = None
    if is_incident(diagnosis):
        window = window_of(run, diagnosis.spike)
        alarms = sum(alarm.level == "alarm" for alarm in run.alarms)
        incident = library.open_incident(
            diagnosis, manifest, window, shape, alarms < 2, _told(run, diagnosis)
        )
    else:
        library.dismiss(manifest.id, diagnosis)
        keep(library, run, diagnosis)
    from .outcome import settle

    settled = settle(library, run, diagnosis)
    if diagnosis.verdict != "healthy":
        library.advise(diagnosis, incident or "", lineage_of(manifest), shape)
    return Recorded(diagnosis, incident, settled)


def _described(run: RunEvidence) -> RunManifest:
    """Return the manifest with the versions that the job told of; its file gets them when the job ends."""
    found = dict(run.manifest.versions)
    for event in run.primary.events_named("environment"):
        found.update(event.data.get("versions", {}))
    return msgspec.structs.replace(run.manifest, versions=found)


def _told(run: RunEvidence, diagnosis: Diagnosis) -> Told:
    """Return the class of the largest model seen, and what the rules call the first cause."""
    from ..rules.rulebase.store import shared_store

    models = run.primary.events_named("model")
    largest = max(models, key=lambda event: event.data.get("parameters") or 0, default=None)
    known = shared_store().current().causes
    cause = known.get(diagnosis.causes[0].id) if diagnosis.causes else None
    return Told(
        model=str(largest.data.get("class", "")) if largest else "",
        cause={"en": cause.title.en, "zh": cause.title.zh} if cause else {},
    )
