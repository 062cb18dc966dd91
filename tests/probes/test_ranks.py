"""Ranks are compared offline: who disagrees, who lags, who is gone."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from spikelore.probes.evidence.ranks import distances, shared_batches, states
from spikelore.probes.evidence.reader import RankEvidence
from spikelore.probes.evidence.schema import Gauge, Step, Value

from .jobs import probed, written

DISTRIBUTED = """
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
torch.set_num_threads(1)
dist.init_process_group("gloo")
torch.manual_seed(0)
model = DistributedDataParallel(torch.nn.Linear(16, 8))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range(101):
    torch.manual_seed(step if step % 2 else step + 1000 * dist.get_rank())
    optimizer.zero_grad()
    model(torch.randn(4, 16)).square().mean().backward()
    optimizer.step()
    if step == 60 and dist.get_rank() == 1:
        with torch.no_grad():
            model.module.weight += 0.5
dist.destroy_process_group()
"""


def test_a_rank_that_drifts_off_is_named_with_its_distance(tmp_path: Path) -> None:
    """Two real ranks agree bit by bit until one is disturbed; the distance is about the true one."""
    path = written(tmp_path, DISTRIBUTED)[1]
    options = ["--nproc-per-node=2", "--master-port=29763"]
    job = probed(tmp_path, [sys.executable, "-m", "torch.distributed.run", *options, path])
    assert job.code == 0, job.stderr
    ranks = job.evidence.ranks
    found = {entry.step: entry for entry in distances(ranks)}
    assert (found[0].distance, found[50].distance) == (0.0, 0.0)
    assert found[50].ranks == ()
    assert len(found[100].ranks) == 1
    assert found[100].distance == pytest.approx(0.5 * math.sqrt(128), rel=0.3)
    assert 0.3 < shared_batches(ranks) < 0.7


def rank(number: int, last: int, time: float, took: float) -> RankEvidence:
    evidence = RankEvidence(number)
    evidence.add(Step(s, time=time - (last - s), v={"step.time": took}) for s in range(last - 60, last + 1))
    return evidence


def test_slow_lagging_silent_and_missing_ranks_are_named() -> None:
    """Each trouble has its word, and the healthy ranks are ok."""
    ranks = {
        0: rank(0, 1000, 5000.0, 0.1),
        1: rank(1, 1000, 5000.0, 0.1),
        2: rank(2, 995, 5000.0, 0.2),
        3: rank(3, 800, 4999.0, 0.1),
        4: rank(4, 990, 4900.0, 0.1),
    }
    found = {entry.rank: entry.state for entry in states(ranks, 6)}
    assert found == {0: "ok", 1: "ok", 2: "slow", 3: "behind", 4: "silent", 5: "missing"}


def test_a_rank_that_only_gauges_is_not_silent() -> None:
    """A rank in a long step still writes gauges: it lags, it is not dead."""
    ranks = {0: rank(0, 1000, 5000.0, 0.1), 1: rank(1, 850, 4850.0, 0.1)}
    ranks[1].add([Gauge(850, 5000.0, {"host.load": 1.0})])
    assert [entry.state for entry in states(ranks, 2)] == ["ok", "behind"]


def test_the_majority_is_right() -> None:
    """Of many ranks the few that differ are named, whichever number they have."""

    def sampled(number: int, value: float) -> RankEvidence:
        evidence = RankEvidence(number)
        v: dict[str, Value] = {"param.sample": [value] * 4, "param.count": 400, "param.hash": str(value)}
        evidence.add([Step(50, v=v)])
        return evidence

    ranks = {number: sampled(number, 1.0 if number in (0, 7) else 2.0) for number in range(1000)}
    found = distances(ranks)
    assert [entry.ranks for entry in found] == [(0, 7)]
    assert found[0].distance == pytest.approx(20.0)
