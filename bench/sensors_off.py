"""Takes evidence away from a run that was diagnosed rightly: it may make the answer weaker, never wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gym_jobs import Job, Result, evidence_of
from spikelore.probes.evidence.reader import RankEvidence, RunEvidence
from spikelore.probes.sensors import sensor_classes
from spikelore.rules.diagnosing import conclude, facts_of, find
from spikelore.rules.diagnosis import Diagnosis

KEPT = {"loss"}
"""Without the loss there is no spike to explain."""


@dataclass(frozen=True)
class Turned:
    """What a diagnosis became without one fact or sensor."""

    job: str
    missing: str
    answer: str
    certainty: float
    wrong: bool


def facts_off(result: Result) -> Iterator[Turned]:
    """Yield the answer without each known fact in turn, for a run whose cause was found."""
    if result.job.faulty and result.right():
        for name in result.facts:
            yield _turned(result.job, name, conclude(result.facts.without([name]), result.finding))


def sensors_off(result: Result, runs: Path) -> Iterator[Turned]:
    """Yield the answer without all evidence of each sensor in turn, for a run whose cause was found."""
    if result.job.faulty and result.right():
        for sensor, evidence in each_sensor_off(result.job, runs):
            finding = find(evidence)
            yield _turned(result.job, sensor, conclude(facts_of(evidence, finding), finding))


def each_sensor_off(job: Job, runs: Path) -> Iterator[tuple[str, RunEvidence]]:
    """Yield the evidence of a job without that of each sensor that saw something."""
    for sensor in sensor_classes():
        evidence = evidence_of(job, runs)
        if without(evidence, [field.name for field in sensor.FIELDS if field.name not in KEPT]):
            yield sensor.name, evidence


def without(evidence: RunEvidence, names: Iterable[str]) -> bool:
    """Remove quantities and events from evidence in memory; False when there were none."""
    patterns = "|".join(re.sub(r"\\{[^}]*\\}", ".+", re.escape(name)) for name in names)
    gone = re.compile(patterns or "(?!)").fullmatch
    return sum(_strip(rank, gone) for rank in evidence.ranks.values()) > 0  # every rank, not the first only


def _strip(rank: RankEvidence, gone: Callable[[str], object]) -> bool:
    found = False
    for record in (*rank.steps, *rank.evals, *rank.gauges):
        for name in [name for name in record.v if gone(name)]:
            del record.v[name]
            found = True
    kept = [event for event in rank.events if not gone(event.name)]
    found |= len(kept) != len(rank.events)
    rank.events[:] = kept
    return found


def _turned(job: Job, missing: str, diagnosis: Diagnosis) -> Turned:
    first = next((cause for cause in diagnosis.causes if cause.role == "root"), None)
    answer = first.id if first else diagnosis.pattern or diagnosis.verdict
    certainty = first.certainty if first else 0.0
    right = first is not None and first.id in {job.cause, *job.accept}
    return Turned(job.id, missing, answer, certainty, not right and certainty > 0.5)
