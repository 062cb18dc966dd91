"""Steps on which nothing is due take a short way; whatever is unlike the step before is seen all the same."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import pytest
import torch
from spikelore.probes.agent.session import Session
from spikelore.probes.evidence import RunDirectory
from spikelore.probes.evidence.reader import RankEvidence, RunEvidence
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

SETTLED = 120
"""Steps after which the start, on which everything runs, is over."""


class Job:
    """A regression with one odd step in it, told from the job's own view."""

    def __init__(self, session: Session) -> None:
        torch.manual_seed(0)
        self.session = session
        self.model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.5)
        self.losses: list[float] = []
        self.rates: list[float] = []

    def loss(self, scale: float = 1.0) -> Tensor:
        inputs = torch.randn(8, 6)
        difference: Tensor = self.model(inputs) - inputs.sum(1, keepdim=True)
        return difference.square().mean() * scale

    def update(self) -> None:
        self.rates.append(self.optimizer.param_groups[0]["lr"])
        self.optimizer.step()

    def step(self) -> None:
        """An ordinary one, its rate a little lower than the last."""
        self.optimizer.param_groups[0]["lr"] *= 0.999
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        self.update()
        self.losses.append(loss.item())

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.step()

    def until_quick(self) -> int:
        """Go on until the step that comes may take the short way; return its index."""
        for _ in range(200):
            self.step()
            if self.session.steps.quick.on:
                return self.session.index
        raise AssertionError("no step took the short way")


@pytest.fixture
def job(session: Session) -> Job:
    session.steps.planner.budget.reserve = 0.0
    job = Job(session)
    job.steps(SETTLED)
    return job


def ended(job: Job) -> RankEvidence:
    """Take the probes off and return what they saw, which is every step once."""
    job.steps(40)
    job.session.lifecycle.end()
    run = job.session.settings.run
    rank = RunEvidence.load(RunDirectory.open(run)).primary
    assert rank.series("loss").step.tolist() == list(range(len(job.losses)))
    assert rank.series("loss").value.tolist() == pytest.approx(job.losses, nan_ok=True)
    assert rank.series("lr").value.tolist() == pytest.approx(job.rates)
    assert not rank.events_named("probe.disabled")
    return rank


def test_losses_rates_and_times_of_all_steps_are_told(job: Job) -> None:
    job.until_quick()
    job.steps(200)
    assert job.session.steps.quick.last is not None
    rank = ended(job)
    assert len(rank.series("step.time")) >= len(job.losses) - 1
    assert (rank.series("probe.time").value > 0).all()
    assert set(rank.series("mode.train").value) == {1}


def clipped(job: Job) -> None:
    job.optimizer.zero_grad()
    loss = job.loss()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(job.model.parameters(), 1e-3)
    job.update()
    job.losses.append(loss.item())


def accumulated(job: Job) -> None:
    job.optimizer.zero_grad()
    parts = [job.loss(0.5) for _ in range(2)]
    for part in parts:
        part.backward()
    job.update()
    job.losses.append(sum(part.item() for part in parts))


def evaluated_between(job: Job) -> None:
    """A validation pass between backward and update."""
    job.optimizer.zero_grad()
    loss = job.loss()
    loss.backward()
    with torch.no_grad():
        job.loss()
    job.update()
    job.losses.append(loss.item())


def failed_backward(job: Job) -> None:
    """An error that the job catches; it tries again on the next batch."""
    job.optimizer.zero_grad()
    loss = job.loss()
    handle = job.model[0].weight.register_hook(lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        loss.backward()
    handle.remove()
    again = job.loss()
    again.backward()
    job.update()
    job.losses.append(loss.item() + again.item())


def failed_model(job: Job) -> None:
    with pytest.raises(RuntimeError):
        job.model(torch.randn(3, 7))
    job.step()


@pytest.mark.parametrize("odd", [clipped, accumulated, evaluated_between, failed_backward, failed_model])
def test_an_odd_step_is_told_like_any_other(job: Job, odd: Callable[[Job], None]) -> None:
    for _ in range(3):
        job.until_quick()
        odd(job)
    ended(job)


def test_clipping_is_seen_on_the_step_that_clips(job: Job) -> None:
    at = job.until_quick()
    clipped(job)
    calls = ended(job).series("grad.clip_calls")
    assert calls.step[calls.value > 0].tolist() == [at]


def test_a_second_backward_is_counted(job: Job) -> None:
    at = job.until_quick()
    accumulated(job)
    micro = ended(job).series("loss.micro")
    assert micro.step[micro.value == 2].tolist() == [at]


@pytest.mark.parametrize("scale", [1e4, math.nan, math.inf])
def test_a_loss_that_stands_out_is_looked_at_before_the_update(job: Job, scale: float) -> None:
    """All sensors run on that very step, the weights still being those that made the loss."""
    at = job.until_quick()
    job.optimizer.zero_grad()
    loss = job.loss(scale)
    loss.backward()
    job.update()
    job.losses.append(loss.item())
    if not math.isfinite(scale):
        for parameter in job.model.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
        job.optimizer.state.clear()
    rank = ended(job)
    for name in ("grad.norm", "weight.norm", "batch.size", "update.norm"):
        assert at in rank.series(name).step.tolist()


def test_a_setting_changed_is_told_at_its_step(job: Job) -> None:
    at = job.until_quick()
    job.optimizer.param_groups[0]["momentum"] = 0.9
    job.step()
    changes = ended(job).events_named("optimizer")
    assert [event.step for event in changes] == [0, at]


def test_evaluation_mode_is_told_at_its_step(job: Job) -> None:
    at = job.until_quick()
    job.model.eval()
    job.step()
    job.model.train()
    rank = ended(job)
    mode = rank.series("mode.train")
    assert mode.step[mode.value == 0].tolist() == [at]
    assert [event.step for event in rank.events_named("mode")] == [at, at + 1]


def test_a_value_that_the_job_logs_stands_with_its_step(job: Job) -> None:
    at = job.until_quick()
    job.optimizer.zero_grad()
    loss = job.loss()
    loss.backward()
    job.session.steps.note("user.value", 7.0)
    job.update()
    job.losses.append(loss.item())
    between = job.until_quick()
    job.session.steps.note("user.value", 8.0)
    job.step()
    rank = ended(job)
    assert rank.series("user.value").step.tolist() == [at, between]


def test_epochs_and_batches_go_on(job: Job) -> None:
    """A pass over a loader is counted whatever way its steps take."""
    loader = DataLoader(TensorDataset(torch.randn(96, 6)), batch_size=4)
    for _ in range(6):
        for (inputs,) in loader:
            job.optimizer.zero_grad()
            loss = (job.model(inputs) - inputs.sum(1, keepdim=True)).square().mean()
            loss.backward()
            job.update()
            job.losses.append(loss.item())
    assert job.session.steps.quick.last is not None
    last = job.session.steps.quick.last
    job.session.lifecycle.end()
    rank = RunEvidence.load(RunDirectory.open(job.session.settings.run)).primary
    steps = [step for step in rank.steps if step.epoch is not None]
    assert [step.batch for step in steps] == [*range(24)] * 6
    assert [step.epoch for step in steps] == pytest.approx([n / 24 for n in range(6 * 24)])
    assert last.epoch is not None


def test_nothing_of_it_stays_behind(job: Job) -> None:
    """Taken off in the middle of a step, the probes leave the job to itself."""
    job.until_quick()
    job.optimizer.zero_grad()
    loss = job.loss()
    loss.backward()
    job.session.lifecycle.end()
    assert type(job.model).__call__ is nn.Module.__call__
    job.update()
    job.steps(3)
    rank = RunEvidence.load(RunDirectory.open(job.session.settings.run)).primary
    assert rank.series("loss").value.tolist() == pytest.approx(job.losses[: len(rank.series("loss"))])


def test_a_copy_that_is_evaluated_now_and_then_does_not_end_it(job: Job) -> None:
    """Nor is its answer taken for that of the trained model."""
    average = copy.deepcopy(job.model).eval()
    for _ in range(2):
        job.until_quick()
        with torch.no_grad():
            average(torch.randn(4, 6))
        job.steps(20)
    job.until_quick()
    assert len(job.session.model.roots) == 2
    ended(job)


def test_two_models_in_a_step_take_the_long_way(job: Job) -> None:
    other = nn.Sequential(nn.Linear(6, 1))
    for _ in range(40):
        job.optimizer.zero_grad()
        inputs = torch.randn(8, 6)
        loss = (job.model(inputs) - other(inputs)).square().mean()
        loss.backward()
        job.update()
        job.losses.append(loss.item())
    assert not job.session.steps.quick.on
    ended(job)
