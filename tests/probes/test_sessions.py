"""What tells one process, or one stage, from the one before it: steps, weights, code, rates."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from spikelore.probes.agent.session import Session
from spikelore.probes.agent.surroundings import own_code
from spikelore.probes.evidence import Header, RunDirectory, RunManifest, Step, encode
from spikelore.probes.evidence.reader import RankEvidence, RunEvidence
from spikelore.probes.evidence.sessions import steps_before
from torch import nn

SCRIPT = """
import subprocess, sys, torch
from torch import nn
torch.manual_seed(0)
model = nn.Linear(4, 1)
optimizer = torch.optim.Adam(model.parameters())
if len(sys.argv) > 1:
    model.load_state_dict(torch.load("a.pt")["model"])
for _ in range(7):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
torch.save({"model": model.state_dict()}, "a.pt")
if len(sys.argv) == 1:
    subprocess.run([sys.executable, __file__, "again"], check=True)
"""


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 1) -> None:
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(2, 4)).square().mean().backward()
        optimizer.step()


def ended(session: Session) -> RankEvidence:
    session.lifecycle.end()
    rank = RunEvidence.load(session.settings.run).primary
    assert rank.events_named("probe.disabled") == []
    return rank


def touched(rank: RankEvidence) -> list[int]:
    return rank.series("weight.touched").step.tolist()


def test_a_job_that_starts_itself_again_counts_on(tmp_path: Path) -> None:
    """Steps of the second process follow those of the first; its weights are those that were saved."""
    script = tmp_path / "job.py"
    script.write_text(SCRIPT)
    run = tmp_path / "run"
    subprocess.run(
        [sys.executable, "-m", "spikelore.tui.cli", "run", "--run-dir", run, "--", sys.executable, script],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    rank = RunEvidence.load(run).primary
    assert [record.step for record in rank.steps] == list(range(14))
    load = rank.events_named("checkpoint.load")[0]
    assert load.step == 7
    prints = [(e.step, e.data["when"], e.data["prints"]) for e in rank.events_named("weights.fingerprint")]
    assert [(step, when) for step, when, _ in prints] == [
        (0, "begin"),
        (7, "save"),
        (7, "begin"),
        (14, "save"),
    ]
    assert prints[1][2] == prints[2][2] != prints[3][2]


@pytest.mark.parametrize(("pid", "expected"), [(2**22 + 1, 41), (1, 0)])
def test_only_a_process_that_has_ended_came_before(tmp_path: Path, pid: int, expected: int) -> None:
    """Two that train side by side each count from 0."""
    run = RunDirectory.create(tmp_path / "run", RunManifest("run", 0.0))
    first = run.new_evidence_file(0)
    first.write_bytes(encode(Header(1, "run", pid=pid)) + encode(Step(40, v={"loss": 1.0})))
    assert steps_before(run, 0, run.new_evidence_file(0)) == expected


def halved(model: nn.Linear) -> None:
    with torch.no_grad():
        model.weight.mul_(0.5)


def through_numpy(model: nn.Linear) -> None:
    model.weight.detach().numpy()[:] *= 0.5


def pointed_elsewhere(model: nn.Linear) -> None:
    model.weight.data = model.weight.data * 0.5


@pytest.mark.parametrize("write", [halved, through_numpy, pointed_elsewhere])
def test_a_write_between_two_updates_is_seen(session: Session, write: Callable[[nn.Linear], None]) -> None:
    """Whoever wrote and however, on the very step, also on those that take the short way."""
    session.steps.planner.budget.reserve = 0.0
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train(model, optimizer, 90)
    write(model)
    train(model, optimizer, 3)
    assert touched(ended(session)) == [90]


def test_weights_that_are_put_back_are_untouched(session: Session) -> None:
    """A moving average that is swapped in for a validation and out again is nobody's business."""
    model = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train(model, optimizer, 3)
    kept = model.weight.detach().clone()
    halved(model)
    with torch.no_grad():
        model.weight.copy_(kept)
    train(model, optimizer, 3)
    assert touched(ended(session)) == []


def test_optimizers_see_each_others_updates(session: Session) -> None:
    """Two that share weights, a second after the same backward, and one with a closure write on purpose."""
    model = nn.Linear(4, 1)
    first = torch.optim.SGD(model.parameters(), lr=0.01)
    train(model, first, 3)
    second = torch.optim.SGD([model.weight], lr=0.01)
    for _ in range(3):
        first.zero_grad()
        model(torch.ones(2, 4)).square().mean().backward()
        first.step()
        second.step()
    third = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def closure() -> torch.Tensor:
        third.zero_grad()
        loss = model(torch.ones(2, 4)).square().mean()
        loss.backward()
        return loss

    for _ in range(3):
        third.step(closure)
    assert touched(ended(session)) == []


def test_an_optimizer_that_takes_over_has_the_rate(session: Session) -> None:
    """`lr` goes on with the one that updates now; new parameters are described as they begin."""
    model = nn.Linear(4, 1)
    first = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, first, 3)
    other = nn.Linear(4, 2)
    with torch.no_grad():
        other.weight[0, 0] = float("nan")
    second = torch.optim.Adam(other.parameters(), lr=0.02)
    train(other, second, 3)
    rank = ended(session)
    assert rank.series("lr").value.tolist() == pytest.approx([0.1] * 3 + [0.02] * 2)
    assert rank.series("lr/1.0").value.tolist() == pytest.approx([0.02])
    begun = rank.events_named("optimizer")
    assert [event.data["fresh_nonfinite"] for event in begun] == [0, 1]
    assert 0.2 < begun[0].data["fresh_scale"] < 1.1
    assert begun[0].data["dtype"] == "float32"


def test_own_code_is_that_of_the_job_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module beside the script counts, by its content; installed packages and these probes do not."""
    (tmp_path / "layers_of_mine.py").write_text("gain = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import layers_of_mine  # type: ignore[import-not-found]  # noqa: F401

    before = own_code()
    assert "layers_of_mine" in before
    assert not {"torch", "json", "spikelore.probes"} & before.keys()
    (tmp_path / "layers_of_mine.py").write_text("gain = 2\n")
    assert own_code()["layers_of_mine"] != before["layers_of_mine"]
    del sys.modules["layers_of_mine"]
