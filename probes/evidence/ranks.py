"""Agreement of ranks, told from the evidence that each of them wrote by itself.

No rank waits for another: steps are aligned by their number, and only those count on which at least two
ranks wrote a sample of their parameters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .reader import RankEvidence
from .schema import Step

_RECENT = 50
_SLOW = 1.5
_BEHIND_STEPS = 100
_SILENT_SECONDS = 60.0


@dataclass(frozen=True)
class Distance:
    """How far apart the parameters of the ranks are after one step.

    Attributes:
        step: the optimizer step.
        distance: L2 distance between the rank that is farthest off and the majority, estimated from
            the sample: the sample's distance times the root of the elements each one stands for.
        ranks: the ranks whose sample is not the majority's.
    """

    step: int
    distance: float
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class RankState:
    """How one rank is doing.

    Attributes:
        last_step: its latest step, -1 when it wrote none.
        silent: seconds between its latest record and the latest of any rank.
        step_time: median seconds of its latest steps, NaN when unknown.
        state: ``ok``, ``slow`` (median step time over 1.5 times the median rank's), ``behind``,
            ``silent`` (no record for a minute while others wrote) or ``missing`` (no evidence at all).
    """

    rank: int
    last_step: int
    silent: float
    step_time: float
    state: str


def distances(ranks: Mapping[int, RankEvidence], first: int = 0, last: int | None = None) -> list[Distance]:
    """Compare the parameter samples of all ranks, for the steps from ``first`` to ``last``."""
    samples: dict[int, dict[int, Step]] = {}
    for rank, evidence in ranks.items():
        for record in evidence.steps:
            if record.step < first or (last is not None and record.step > last):
                continue
            if isinstance(record.v.get("param.sample"), list):
                samples.setdefault(record.step, {})[rank] = record
    return [_compare(step, found) for step, found in sorted(samples.items()) if len(found) > 1]


def _compare(step: int, records: Mapping[int, Step]) -> Distance:
    hashes = Counter(str(record.v.get("param.hash")) for record in records.values())
    majority = hashes.most_common(1)[0][0]
    off = tuple(sorted(r for r, record in records.items() if str(record.v.get("param.hash")) != majority))
    if not off:
        return Distance(step, 0.0, ())
    reference = next(record for record in records.values() if str(record.v.get("param.hash")) == majority)
    return Distance(step, max(_estimate(reference, records[rank]) for rank in off), off)


def _estimate(one: Step, other: Step) -> float:
    left, right = (np.asarray(record.v["param.sample"], dtype=np.float64) for record in (one, other))
    count = one.v.get("param.count")
    if len(left) != len(right) or not len(left):
        return math.inf
    stands_for = count / len(left) if isinstance(count, int) else 1.0
    return float(np.sqrt(np.square(left - right).sum() * stands_for))


def shared_batches(ranks: Mapping[int, RankEvidence]) -> float:
    """Return the share of steps on which two ranks trained on the same batch; ranks should not.

    NaN when no step has the batch hashes of two ranks.
    """
    seen: dict[int, list[str]] = {}
    for evidence in ranks.values():
        for step, value in evidence.values("batch.hash"):
            seen.setdefault(step, []).append(str(value))
    compared = [hashes for hashes in seen.values() if len(hashes) > 1]
    if not compared:
        return math.nan
    return sum(len(set(hashes)) < len(hashes) for hashes in compared) / len(compared)


def states(ranks: Mapping[int, RankEvidence], world: int) -> list[RankState]:
    """Return how every rank of a world is doing, from 0 on."""
    latest = {rank: _latest(evidence) for rank, evidence in ranks.items()}
    newest = max((time for _, time in latest.values()), default=0.0)
    furthest = max((step for step, _ in latest.values()), default=-1)
    times = {rank: _step_time(evidence) for rank, evidence in ranks.items()}
    known = [time for time in times.values() if not math.isnan(time)]
    usual = float(np.median(known)) if known else math.nan
    found = []
    for rank in range(max(world, max(ranks, default=-1) + 1)):
        if rank not in ranks:
            found.append(RankState(rank, -1, math.inf, math.nan, "missing"))
            continue
        step, moment = latest[rank]
        silent = newest - moment
        state = "ok"
        if silent > _SILENT_SECONDS:
            state = "silent"
        elif furthest - step > _BEHIND_STEPS:
            state = "behind"
        elif times[rank] > _SLOW * usual:
            state = "slow"
        found.append(RankState(rank, step, silent, times[rank], state))
    return found


def _latest(evidence: RankEvidence) -> tuple[int, float]:
    moments = [record.time for records in (evidence.steps, evidence.gauges) for record in records[-1:]]
    return (evidence.steps[-1].step if evidence.steps else -1), max(moments, default=0.0)


def _step_time(evidence: RankEvidence) -> float:
    values = [record.v.get("step.time") for record in evidence.steps[-_RECENT:]]
    times = [value for value in values if isinstance(value, float)]
    return float(np.median(times)) if times else math.nan
