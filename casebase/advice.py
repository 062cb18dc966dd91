"""What to try first: the rules' fixes, ordered by what worked on similar incidents."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from ..rules.diagnosis import Cause, Diagnosis, Fix
from .similar import Likeness

_Z = 1.96
"""Two-sided 95 %."""
_ALIKE = 0.2
"""Likeness from which an incident's outcome counts."""
_PRIOR = (1.0, 2.0)
"""The rules' word for a fix counts as one success in two, before anything was tried."""


def wilson(worked: float, tried: float) -> float:
    """Return the lower end of the 95 % interval of a success rate (Wilson, 1927); 0 for nothing tried.

    Counts may be fractions: an incident that is half alike counts half.
    """
    if tried <= 0:
        return 0.0
    share = worked / tried
    middle = share + _Z * _Z / (2 * tried)
    spread = _Z * math.sqrt(share * (1 - share) / tried + _Z * _Z / (4 * tried * tried))
    return max(0.0, (middle - spread) / (1 + _Z * _Z / tried))


@dataclass
class Record:
    """How a fix did on similar incidents."""

    worked: int = 0
    tried: int = 0
    weight_worked: float = 0.0
    weight_tried: float = 0.0
    text: str = ""

    def add(self, worked: bool, weight: float) -> None:
        """Count one attempt."""
        self.tried += 1
        self.weight_tried += weight
        if worked:
            self.worked += 1
            self.weight_worked += weight

    @property
    def bound(self) -> float:
        """Lower bound of the success rate, the rules' word counted in."""
        return wilson(_PRIOR[0] + self.weight_worked, _PRIOR[1] + self.weight_tried)


def records(similar: Iterable[Likeness], cause: str) -> dict[str, Record]:
    """Return how every fix did on similar incidents of one cause."""
    found: dict[str, Record] = {}
    for one in similar:
        if one.case.cause != cause or one.score < _ALIKE:
            continue
        for attempt in one.fixes:
            # Words are advice when a person wrote them; what a later run changed is that job's own affair.
            name = attempt.fix or (attempt.text if attempt.decided != "run" else "")
            if name and attempt.outcome != "unknown":
                record = found.setdefault(name, Record())
                record.add(attempt.outcome == "worked", one.score)
                record.text = record.text or attempt.text
    return found


def advise(diagnosis: Diagnosis, similar: list[Likeness], lineage: str, shown: int) -> Diagnosis:
    """Fill in how each fix did before, order the fixes by it, and name the similar incidents."""
    failed_here = _failed_here(similar, lineage)
    for cause in diagnosis.causes:
        known = records(similar, cause.id)
        _add_proven(cause, known)
        for fix in cause.fixes:
            record = known.get(fix.id, Record())
            fix.worked, fix.tried = record.worked, record.tried
        cause.fixes.sort(key=lambda fix: _rank(fix, known.get(fix.id, Record()), failed_here))
    offered = {fix.id for cause in diagnosis.causes for fix in cause.fixes}
    for name, incident in failed_here.items():
        sentence = _failed_sentence(name, incident, diagnosis.lang)
        if name in offered and sentence not in diagnosis.warnings:
            diagnosis.warnings.append(sentence)
    diagnosis.similar = [one.value() for one in similar[:shown]]
    return diagnosis


def _rank(fix: Fix, record: Record, failed_here: dict[str, str]) -> tuple[bool, bool, float]:
    # Sorting is stable: what the library cannot tell apart stays in the rules' order.
    return (fix.id in failed_here, fix.when != "now", -record.bound)


def _add_proven(cause: Cause, known: dict[str, Record]) -> None:
    """Offer fixes that people found and that the rules do not know."""
    offered = {fix.id for fix in cause.fixes}
    for name, record in known.items():
        if record.worked and name not in offered:
            cause.fixes.append(Fix(id=name, when="now", text=record.text or name))


def _failed_here(similar: list[Likeness], lineage: str) -> dict[str, str]:
    """Return the fixes that failed on this very job and never worked there, with the incident."""
    here = [one for one in similar if lineage and one.case.lineage == lineage]
    worked = {attempt.fix for one in here for attempt in one.fixes if attempt.outcome == "worked"}
    return {
        attempt.fix: one.case.id
        for one in here
        for attempt in one.fixes
        if attempt.outcome == "failed" and attempt.fix and attempt.fix not in worked
    }


def _failed_sentence(fix: str, incident: str, lang: str) -> str:
    if lang == "zh":
        return f"{fix} 曾在这个任务上试过但没有奏效(案例 {incident})。"
    return f"{fix} was tried on this job before and failed (incident {incident})."
