"""The way from a run to its diagnosis with the library's advice; used by verbs and screens alike."""

from __future__ import annotations

import msgspec

from ..probes.evidence import RunDirectory
from ..probes.evidence.reader import RunEvidence
from ..rules.diagnosis import Diagnosis
from .language import Lang


def written(run: RunDirectory) -> Diagnosis | None:
    """Return the diagnosis that the watcher of a run left, None where there is none to be read."""
    try:
        return Diagnosis.from_json(run.diagnosis_path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None


def stamp(run: RunDirectory) -> int:
    """Return when the watcher's diagnosis was written, in nanoseconds; 0 where there is none."""
    try:
        return run.diagnosis_path.stat().st_mtime_ns
    except OSError:
        return 0


def diagnose(run: RunDirectory, lang: Lang) -> Diagnosis:
    """Return a fresh diagnosis of all evidence written so far.

    Raises:
        EvidenceError: the run cannot be read.
    """
    from ..rules import diagnose as conclude

    return advised(run, conclude(RunEvidence.load(run), lang=lang))


def advised(run: RunDirectory, diagnosis: Diagnosis) -> Diagnosis:
    """Fill in what worked before; a library that is away costs only that, and is named as a warning."""
    try:
        return _ask_library(run, diagnosis)
    except Exception as error:  # noqa: BLE001 - the diagnosis must reach the user without the database
        from .errors import sentence
        from .language import tr

        warning = tr("The case library could not be asked: {why}", why=sentence(error))
        return msgspec.structs.replace(diagnosis, warnings=[*diagnosis.warnings, warning])


def _ask_library(run: RunDirectory, diagnosis: Diagnosis) -> Diagnosis:
    from ..casebase.lineage import lineage_of
    from .incidents import find
    from .library import opened

    with opened() as library:
        own = find(run, diagnosis, library)
        return library.advise(diagnosis, incident=own, lineage=lineage_of(run.manifest()))
