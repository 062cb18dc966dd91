"""Losses and batches of code that uses no loss module, or no module at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from spikelore.probes.agent.graph import loss_terms
from spikelore.probes.agent.handwritten import batch_of
from torch import Tensor

from .jobs import plain, probed, script

ROWS = 8
GENERATOR = torch.Generator().manual_seed(0)
INPUTS = torch.randn(ROWS, 5, generator=GENERATOR)
LABELS = torch.randint(3, (ROWS,), generator=GENERATOR)
TARGETS = torch.randn(ROWS, generator=GENERATOR)
ONE_HOT = torch.nn.functional.one_hot(LABELS, 3).float()


def weight(columns: int) -> Tensor:
    return torch.randn(5, columns, generator=GENERATOR).requires_grad_()


def product(gap: Tensor) -> Tensor:
    return (gap * gap).mean()


@pytest.mark.parametrize(
    "loss",
    [
        lambda logs: -logs[torch.arange(ROWS), LABELS].mean(),
        lambda logs: -logs.gather(1, LABELS[:, None]).mean(),
        lambda logs: -logs.gather(-1, LABELS.unsqueeze(-1)).squeeze(-1).sum() / ROWS,
        lambda logs: -(ONE_HOT * logs).sum(1).mean(),
        lambda logs: (-ONE_HOT * logs).sum(1).mean(),
    ],
)
def test_labels_of_a_hand_written_cross_entropy_are_seen(loss: Callable[[Tensor], Tensor]) -> None:
    """The labels and the log-probabilities are those that the code picked from."""
    logs = torch.log_softmax(INPUTS @ weight(3), 1)
    (term,) = loss_terms(loss(logs))
    assert term.kind == "nll"
    assert torch.equal(term.target, LABELS)
    assert torch.equal(term.prediction, logs.detach())


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("mse", lambda out: ((out.squeeze(1) - TARGETS) ** 2).mean()),
        ("mse", lambda out: (TARGETS - out[:, 0]).square().sum()),
        ("mse", lambda out: product(out[:, 0] - TARGETS)),
        ("l1", lambda out: (TARGETS - out[:, 0]).abs().mean()),
    ],
)
def test_targets_of_a_hand_written_difference_are_seen(kind: str, loss: Callable[[Tensor], Tensor]) -> None:
    """The graph keeps the difference; with the model's output it gives the target."""
    outputs = INPUTS @ weight(1)
    (term,) = loss_terms(loss(outputs), outputs)
    assert term.kind == kind
    torch.testing.assert_close(term.target, TARGETS)
    torch.testing.assert_close(term.prediction, outputs.detach().squeeze(1))


def test_a_difference_of_another_size_is_no_pair_of_outputs_and_targets() -> None:
    """A column against a row broadcasts; no target can be told from that."""
    outputs = INPUTS @ weight(1)
    assert loss_terms(((outputs - TARGETS) ** 2).mean(), outputs) == []


def test_class_weights_are_no_labels() -> None:
    """One weight per class, the same for every sample, says nothing of a sample's class."""
    logs = torch.log_softmax(INPUTS @ weight(3), 1)
    assert loss_terms(-(torch.tensor([1.0, 2.0, 3.0]) * logs).mean()) == []


def test_the_batch_of_code_without_modules_is_what_its_first_layer_was_given() -> None:
    """Matrix products keep their input, embeddings by index the ids; later layers do not count."""
    hidden = torch.relu(INPUTS @ weight(4))
    (found,) = batch_of((hidden @ torch.randn(4, 2).requires_grad_()).sum())
    assert torch.equal(found[1], INPUTS)
    table = torch.randn(10, 4, requires_grad=True)
    ids = torch.randint(10, (ROWS,), generator=GENERATOR)
    (found,) = batch_of((table[ids] @ torch.randn(4, 2).requires_grad_()).sum())
    assert torch.equal(found[1], ids)


@pytest.mark.parametrize("argument", [[], ["checkpoint"]])
def test_code_without_modules_trains_as_without_probes(tmp_path: Path, argument: list[str]) -> None:
    """Its labels are seen; its batch too, but not where reading it would compute a checkpointed part anew."""
    command = [*script("bare"), *argument]
    without, under = plain(tmp_path, command), probed(tmp_path, command)
    assert under.code == without.code == 0
    assert (under.stdout, under.stderr) == (without.stdout, without.stderr)
    evidence = under.evidence.primary
    assert evidence.values("label.hist")
    assert bool(evidence.values("batch.mean")) == (not argument)
