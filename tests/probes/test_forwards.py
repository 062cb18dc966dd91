"""Modules are watched through hooks on all of them first, then through the outermost ones' classes."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable

import pytest
import torch
from spikelore.probes.agent.session import Session
from spikelore.probes.evidence import RunDirectory
from spikelore.probes.evidence.reader import RunEvidence
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch user knows
from torch.nn.modules import module as modules
from torch.utils.data import DataLoader, TensorDataset

STEPS = 40


class Own(nn.Module):
    """A model whose class answers calls itself."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        self.calls = 0

    def __call__(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        answer: Tensor = super().__call__(inputs)
        return answer

    def forward(self, inputs: Tensor) -> Tensor:
        answer: Tensor = self.body(inputs)
        return answer


def step_of(model: nn.Module) -> Callable[[], float]:
    torch.manual_seed(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, targets = torch.randn(16, 4), torch.randint(0, 3, (16,))

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def has_hooks() -> bool:
    return bool(modules._global_forward_hooks or modules._global_forward_pre_hooks)


def plain() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


def settled(session: Session, model: nn.Module) -> Callable[[], float]:
    """Train until only the outermost module is watched."""
    step = step_of(model)
    for _ in range(STEPS):
        step()
    assert not session.forwards.wide
    return step


def test_modules_inside_run_as_without_probes_once_the_outermost_is_known(session: Session) -> None:
    settled(session, plain())
    assert not has_hooks()
    assert "__call__" in vars(nn.Sequential)
    assert "__call__" not in vars(nn.Linear)


@pytest.mark.parametrize("make", [plain, Own])
def test_batches_are_still_seen(session: Session, make: Callable[[], nn.Module]) -> None:
    step = settled(session, make())
    session.dispatch.take_everything()
    step()
    session.lifecycle.end()
    rank = RunEvidence.load(RunDirectory.open(session.settings.run)).primary
    assert STEPS in rank.series("batch.mean").step


def test_a_class_that_answers_calls_itself_is_called_once_for_each(session: Session) -> None:
    model = Own()
    settled(session, model)
    assert model.calls == STEPS


def test_a_validation_of_a_known_model_is_seen(session: Session) -> None:
    model = plain()
    settled(session, model)
    model.eval()
    with torch.no_grad():
        loss = F.cross_entropy(model(torch.ones(8, 4)), torch.zeros(8, dtype=torch.long))
    session.lifecycle.end()
    values = RunEvidence.load(RunDirectory.open(session.settings.run)).primary.evals[-1].v
    assert values["val.loss"] == pytest.approx(loss.item())


def test_a_loader_brings_the_hooks_back(session: Session) -> None:
    step = settled(session, plain())
    next(iter(DataLoader(TensorDataset(torch.zeros(4, 4)))))
    assert session.forwards.wide
    assert has_hooks()
    assert "__call__" not in vars(nn.Sequential)
    for _ in range(STEPS):
        step()
    assert not session.forwards.wide


def test_another_model_is_met_although_only_the_first_is_watched(session: Session) -> None:
    first, second = plain(), Own()
    settled(session, first)
    settled(session, second)
    assert session.model.roots == [first, second]


def test_a_forward_that_raises_leaves_the_next_as_outermost(session: Session) -> None:
    model = plain()
    step = settled(session, model)
    with pytest.raises(RuntimeError):
        model(torch.zeros(1, 5))
    step()
    step()
    assert not session.forwards.stack


def test_a_watched_model_is_copied_and_pickled_without_a_trace(session: Session) -> None:
    model = plain()
    settled(session, model)
    copy.deepcopy(model)
    stream = io.BytesIO()
    torch.save(model, stream)
    assert b"spikelore" not in stream.getvalue()


@pytest.mark.parametrize("kind", [nn.Sequential, Own])
def test_a_watched_class_that_is_pickled_by_value_takes_its_own_call_along(
    session: Session, kind: type[nn.Module]
) -> None:
    """As cloudpickle does with the classes of a script."""
    before = vars(kind).get("__call__", nn.Module.__call__)
    settled(session, plain() if kind is nn.Sequential else kind())
    watched = vars(kind)["__call__"]
    assert watched is not before
    rebuild, arguments = watched.__reduce__()
    assert rebuild(*arguments) is before


def test_nothing_stays_in_the_classes(session: Session) -> None:
    settled(session, plain())
    session.lifecycle.end()
    assert "__call__" not in vars(nn.Sequential)
    assert not has_hooks()
    assert pickle.loads(pickle.dumps(nn.Sequential)) is nn.Sequential
