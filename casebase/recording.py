"""From a diagnosis to the library: the incident is opened, the advice filled in, the loop closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..rules.diagnosis import Diagnosis
from .curves import shape_of, window_of
from .lineage import lineage_of

if TYPE_CHECKING:
    from ..probes.evidence.reader import RunEvidence
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
    manifest = run.manifest
    shape = shape_of(run, diagnosis.spike)
    incident = None
    if is_incident(diagnosis):
        window = window_of(run, diagnosis.spike)
        alarms = sum(alarm.level == "alarm" for alarm in run.alarms)
        incident = library.open_incident(diagnosis, manifest, window, shape, sole=alarms < 2)
    else:
        library.dismiss(manifest.id, diagnosis)
    from .outcome import settle

    settled = settle(library, run, diagnosis)
    if diagnosis.verdict != "healthy":
        library.advise(diagnosis, incident or "", lineage_of(manifest), shape)
    return Recorded(diagnosis, incident, settled)
