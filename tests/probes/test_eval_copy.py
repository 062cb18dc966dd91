"""A copy of the model that evaluates is compared with the trained one, from its first batch on."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from spikelore.probes.agent.session import Session
from spikelore.probes.evidence import Event, RunDirectory
from spikelore.probes.evidence.reader import RunEvidence
from torch import nn
from torch.optim.swa_utils import AveragedModel

STEPS = 60


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


def train(model: nn.Module, steps: int, after: Callable[[], object] = lambda: None) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(steps):
        inputs = 3 + 2 * torch.randn(16, 4)
        loss = (model(inputs) - inputs.sum(1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        after()


def evaluate(model: nn.Module) -> None:
    model.eval()
    with torch.no_grad():
        nn.functional.mse_loss(model(torch.randn(8, 4)), torch.zeros(8, 1))
    model.train()


def told(session: Session) -> list[Event]:
    session.lifecycle.end()
    return RunEvidence.load(RunDirectory.open(session.settings.run)).primary.events_named("eval.copy")


def test_buffers_left_behind_are_told_apart_from_parameters(session: Session) -> None:
    """Also when the copy is called for the first time after only the trained model's class is watched."""
    torch.manual_seed(0)
    model = network()
    average = copy.deepcopy(model)

    def follow() -> None:
        with torch.no_grad():
            for mine, theirs in zip(average.parameters(), model.parameters(), strict=True):
                mine.lerp_(theirs, 0.3)

    train(model, STEPS, follow)
    assert not session.forwards.wide
    evaluate(average)
    (event,) = told(session)
    assert event.step == STEPS
    assert event.data["parameters"] < 0.1
    assert event.data["buffers"] > 0.9
    assert event.data["buffer"] in ("1.running_mean", "1.running_var")


def test_a_copy_that_takes_its_buffers_along_is_near(session: Session) -> None:
    torch.manual_seed(0)
    model = network()
    average = AveragedModel(
        model, use_buffers=True, avg_fn=lambda mine, theirs, _: mine + 0.5 * (theirs - mine)
    )
    train(model, STEPS, lambda: average.update_parameters(model))
    for _ in range(3):
        # It wraps a model of a watched class and is of another one: known from its second call on.
        evaluate(average)
        train(model, 20, lambda: average.update_parameters(model))
    events = told(session)
    assert len(events) == 2
    assert events[-1].data["parameters"] < 0.1
    assert events[-1].data["buffers"] < 0.2


def test_a_copy_that_was_evaluated_before_any_training_is_known_later(session: Session) -> None:
    model = network()
    average = copy.deepcopy(model)
    evaluate(average)
    train(model, STEPS)
    evaluate(average)
    (event,) = told(session)
    assert event.step == STEPS


def test_the_trained_model_and_other_models_are_no_copies(session: Session) -> None:
    """A discriminator with the same shapes that has an optimizer of its own is a model, not a copy."""
    model, other, third = network(), network(), nn.Sequential(nn.Linear(4, 1))
    train(model, STEPS)
    train(other, 5)
    for evaluated in (model, other, third):
        evaluate(evaluated)
    assert not told(session)


def test_a_model_inside_an_unwatched_one_is_not_taken_for_an_outermost(session: Session) -> None:
    """Of a class that is watched, it may be called by one that is not: then that one is the model."""

    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = network(), network()

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            total: torch.Tensor = self.left(inputs) + self.right(inputs)
            return total

    train(network(), STEPS)
    assert not session.forwards.wide
    pair = Pair()
    train(pair, 12)
    roots = session.model.roots
    assert pair in roots
    assert pair.left not in roots
