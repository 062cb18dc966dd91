"""Unusual training loops are read correctly: one record a step, with the values of that step."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name every PyTorch user knows
from spikelore.probes.agent.session import Session, begin
from spikelore.probes.agent.settings import Settings
from spikelore.probes.evidence import RunDirectory, RunManifest
from spikelore.probes.evidence.reader import RankEvidence, RunEvidence
from torch import nn

Recorded = Callable[[], RankEvidence]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Probes in this process; the call ends them and returns what they wrote."""
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))
    run = RunDirectory.create(tmp_path / "run", RunManifest("r", 0.0))
    session: Session = begin(Settings(run.path))
    torch.manual_seed(0)

    def end() -> RankEvidence:
        session.lifecycle.end()
        rank = RunEvidence.load(run).primary
        assert rank.events_named("probe.disabled") == []
        return rank

    yield end
    session.lifecycle.end()


def net() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def batch(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(12, 6, generator=generator), torch.randint(0, 3, (12,), generator=generator)


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int, first: int = 0) -> list[float]:
    losses = []
    for seed in range(first, first + steps):
        x, y = batch(seed)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_gradient_norms_are_those_before_clipping(recorded: Recorded) -> None:
    """With clipping the recorded norm is the unclipped one, in total and per module."""
    model, expected = net(), []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for seed in range(5):
        optimizer.zero_grad()
        x, y = batch(seed)
        F.cross_entropy(model(x) * 30, y).backward()
        expected.append(math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters())))
        nn.utils.clip_grad_norm_(model.parameters(), 0.01)
        optimizer.step()
    rank = recorded()
    assert rank.series("grad.norm").value.tolist() == pytest.approx(expected, rel=1e-5)
    modules = rank.series("grad.norm/0").value ** 2 + rank.series("grad.norm/2").value ** 2
    assert (modules**0.5).tolist() == pytest.approx(expected, rel=1e-5)
    assert rank.series("grad.clip_max_norm").value.tolist() == [0.01] * 5
    assert set(rank.series("grad.clip_calls").value) == {1.0}


def test_the_update_is_measured(recorded: Recorded) -> None:
    """The update of plain SGD is rate times gradient norm, and nothing else moved the weights."""
    model = net()
    train(model, torch.optim.SGD(model.parameters(), lr=0.5), 6)
    rank = recorded()
    expected = 0.5 * rank.series("grad.norm").value
    assert rank.series("update.norm").value.tolist() == pytest.approx(expected.tolist(), rel=1e-4)
    assert set(rank.series("weight.drift").value) == {0.0}


def test_weights_changed_outside_the_step_show_as_drift(recorded: Recorded) -> None:
    """Damage between two steps is measured where it happened, and only there."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, optimizer, 3)
    model[0].weight.data += 0.25
    train(model, optimizer, 3, 3)
    drift = recorded().series("weight.drift")
    assert drift.value[drift.step == 3].tolist() == pytest.approx([0.25 * math.sqrt(48)], rel=1e-4)
    assert set(drift.value[drift.step != 3]) == {0.0}


def test_a_closure_is_measured_inside_the_step(recorded: Recorded) -> None:
    """LBFGS calls its closure several times: one record a step, with the loss it began from."""
    model = net()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)
    first: list[float] = []
    for seed in range(3):
        x, y = batch(seed)
        losses: list[float] = []

        def closure(x: Any = x, y: Any = y, losses: list[float] = losses) -> torch.Tensor:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            losses.append(loss.item())
            return loss

        optimizer.step(closure)
        first.append(losses[0])
    rank = recorded()
    assert rank.series("loss").value.tolist() == pytest.approx(first)
    assert min(rank.series("loss.micro").value) > 1
    assert rank.series("update.norm").value.min() > 0


def test_a_skipped_amp_step_is_a_step_of_its_own(recorded: Recorded) -> None:
    """GradScaler leaves the update out on overflow: the step says so, losses stay unscaled and apart."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    losses = []
    for seed in range(4):
        x, y = batch(seed)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        scaled = scaler.scale(loss)
        (scaled * float("inf") if seed == 2 else scaled).backward()
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    rank = recorded()
    assert rank.series("amp.skipped").value.tolist() == [0, 0, 1, 0]
    assert rank.series("amp.scale").value.tolist() == [64, 64, 64, 32]
    recorded_losses = rank.series("loss").value.tolist()
    assert [recorded_losses[i] for i in (0, 1, 3)] == pytest.approx([losses[i] for i in (0, 1, 3)])
    assert rank.series("grad.norm").value[:2].max() < 10


def test_clipping_of_scaled_gradients_is_noticed(recorded: Recorded) -> None:
    """Clipping before unscale_ clips 64 times too hard: flagged, and the norm recorded is the true one."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=64.0)
    for unscale in (True, False):
        x, y = batch()
        optimizer.zero_grad()
        scaler.scale(F.cross_entropy(model(x), y)).backward()
        if unscale:
            scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
    rank = recorded()
    flagged = rank.series("grad.clip_scaled")
    assert flagged.step.tolist() == [1]
    norms = rank.series("grad.norm").value
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def test_two_optimizers_share_a_step(recorded: Recorded) -> None:
    """A GAN's two updates make one record each cycle once both are known, and no loss is lost."""
    first, second = net(), net()
    optimizers = [torch.optim.SGD(m.parameters(), lr=0.1) for m in (first, second)]
    total = 0.0
    for seed in range(6):
        x, y = batch(seed)
        for model, optimizer in zip((first, second), optimizers, strict=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
    rank = recorded()
    assert 6 <= len(rank.steps) <= 8
    assert rank.series("loss").value.sum() == pytest.approx(total, rel=1e-5)
    assert len(rank.events_named("optimizer")) == 2


def test_optimizers_inside_backward_make_one_step(recorded: Recorded) -> None:
    """One optimizer per parameter, run by gradient hooks: three backwards are three steps."""
    model = net()
    optimizers = {p: torch.optim.SGD([p], lr=0.1) for p in model.parameters()}

    def update(parameter: torch.Tensor) -> None:
        optimizers[parameter].step()
        optimizers[parameter].zero_grad()

    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(update)
    for seed in range(3):
        x, y = batch(seed)
        F.cross_entropy(model(x), y).backward()
    rank = recorded()
    assert rank.series("loss").step.tolist() == [0, 1, 2]
    assert rank.series("grad.norm").value.min() > 0


def test_recomputation_inside_backward_is_no_step(recorded: Recorded) -> None:
    """Reentrant checkpointing runs backward inside backward: still one loss a step."""
    from torch.utils.checkpoint import checkpoint

    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for seed in range(3):
        x, y = batch(seed)
        optimizer.zero_grad()
        loss = F.cross_entropy(checkpoint(model, x.requires_grad_(), use_reentrant=True), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    rank = recorded()
    assert rank.series("loss").value.tolist() == pytest.approx(losses)
    assert set(rank.series("loss.micro").value) == {1.0}


def test_training_in_evaluation_mode_is_not_taken_for_validation(recorded: Recorded) -> None:
    """A forgotten model.train() shows in mode.train, and its losses are training losses."""
    model = nn.Sequential(net(), nn.Dropout(0.5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, optimizer, 2)
    model.eval()
    train(model, optimizer, 3, 2)
    rank = recorded()
    assert rank.series("mode.train").value.tolist() == [1, 1, 0, 0, 0]
    assert rank.series("mode.train_share").value.tolist() == [1, 1, 0, 0, 0]
    assert rank.evals == []
    assert [event.data for event in rank.events_named("mode")] == [{"training": False}]


def test_validation_without_no_grad_is_validation(recorded: Recorded) -> None:
    """A pass in evaluation mode with gradients on counts, its mean being what the loop computes."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, optimizer, 2)
    model.eval()
    expected = [F.cross_entropy(model(batch(s)[0]), batch(s)[1]).item() for s in range(4)]
    model.train()
    train(model, optimizer, 2)
    rank = recorded()
    assert rank.series("val.loss", "eval").value.tolist() == pytest.approx([sum(expected) / 4])
    assert rank.series("val.loss", "eval").step.tolist() == [2]
    assert rank.series("val.batches", "eval").value.tolist() == [4]


def test_passes_over_training_data_are_told_apart(recorded: Recorded) -> None:
    """Evaluating on the training loader and then on another gives two results under two names."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = [torch.utils.data.TensorDataset(*batch(seed)) for seed in (0, 1)]
    loaders = [torch.utils.data.DataLoader(d, batch_size=4) for d in data]
    for _ in range(2):
        for x, y in loaders[0]:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    means = []
    with torch.no_grad():
        for loader in loaders:
            losses = [F.cross_entropy(model(x), y, reduction="sum").item() for x, y in loader]
            means.append(sum(losses) / 12)
    rank = recorded()
    assert rank.series("train_eval.loss", "eval").value.tolist() == pytest.approx([means[0]])
    assert rank.series("val.loss", "eval").value.tolist() == pytest.approx([means[1]])
    epochs = rank.series("loss").epoch.tolist()
    assert epochs == pytest.approx([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3])
    assert [record.batch for record in rank.steps] == [0, 1, 2, 0, 1, 2]
    assert [event.data["epoch"] for event in rank.events_named("epoch.begin")] == [0, 1]


def test_labels_and_answers_come_from_the_loss_itself(recorded: Recorded) -> None:
    """Histogram, accuracy and ignored share, whatever the loop calls its variables."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    x, y = batch()
    y[:3] = -100
    answers = model(x).argmax(1)
    train_loss = F.cross_entropy(model(x), y)
    train_loss.backward()
    optimizer.step()
    rank = recorded()
    values = rank.steps[0].v
    assert values["label.count"] == 9
    assert values["label.ignored"] == pytest.approx(0.25)
    assert values["label.hist"] == torch.bincount(y[3:], minlength=3).tolist()
    assert values["output.accuracy"] == pytest.approx(float((answers == y)[3:].float().mean()))
    assert values["output.classes"] == 3
    assert rank.series("batch.size").value.tolist() == [12]


def test_abnormal_input_is_measured(recorded: Recorded) -> None:
    """A non-finite element and an outlier show in share and range, and leave the other numbers finite."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    x, y = batch()
    x[0, 0], x[1, 1] = float("nan"), 1e6
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    values = recorded().steps[0].v
    assert values["batch.nonfinite"] == pytest.approx(1 / 72)
    assert values["batch.max"] == 1e6
    assert isinstance(values["batch.mean"], float)
    assert math.isfinite(values["batch.mean"])
    assert math.isnan(values["loss"])
    assert values["grad.nonfinite"] > 0


def test_repeated_rows_and_batches_are_recognized(recorded: Recorded) -> None:
    """Equal rows count as duplicates, and the same batch has the same hash again."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    x, y = batch()
    x[6:] = x[0]
    for inputs in (x, x.clone(), x + 1):
        optimizer.zero_grad()
        F.cross_entropy(model(inputs), y).backward()
        optimizer.step()
    rank = recorded()
    hashes = [value for _, value in rank.values("batch.hash")]
    assert hashes[0] == hashes[1] != hashes[2]
    assert rank.series("batch.duplicates").value[0] == pytest.approx(7 / 12)


def test_batchnorm_statistics_that_jump_are_measured(recorded: Recorded) -> None:
    """One batch of identical, shifted samples moves the running statistics far more than the others."""
    model = nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    for seed in range(20):
        x, y = batch(seed)
        x = torch.full_like(x, 50.0) if seed == 15 else x
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    shift = recorded().series("bn.mean_shift")
    at = shift.value[shift.step == 15][0]
    assert at > 10 * shift.value[(shift.step > 5) & (shift.step < 15)].max()


def test_caught_out_of_memory_errors_are_noticed(recorded: Recorded) -> None:
    """The error is an event even when the job swallows it."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, optimizer, 2)
    try:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    except RuntimeError:
        pass
    train(model, optimizer, 2)
    event = recorded().events_named("oom")[0]
    assert (event.step, event.data["message"][:18]) == (2, "CUDA out of memory")


def hashes_done() -> None:
    """Wait until no file is being hashed any more."""
    for thread in threading.enumerate():
        if thread.name == "spikelore-hash":
            thread.join(30)


def test_checkpoints_are_hashed_and_checked(recorded: Recorded, tmp_path: Path) -> None:
    """A file loaded as saved matches, a damaged one does not, and one that cannot be read says why."""
    import hashlib

    path, model = tmp_path / "c.pt", net()
    optimizer = torch.optim.Adam(model.parameters())
    train(model, optimizer, 1)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    state = torch.load(path)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    train(model, optimizer, 1)
    hashes_done()
    content = bytearray(path.read_bytes())
    place = content.find(state["model"]["0.weight"].numpy().tobytes())
    content[place + 3] ^= 0x41
    path.write_bytes(content)
    torch.load(path)
    hashes_done()
    path.write_bytes(b"no checkpoint")
    with pytest.raises(Exception, match=r".+"):
        torch.load(path)
    rank = recorded()
    saved = rank.events_named("checkpoint.save")[0].data
    assert (saved["sha256"], saved["step"]) == (digest, 1)
    loads = [event.data for event in rank.events_named("checkpoint.load")]
    assert [load["matches"] for load in loads] == [True, False, False]
    assert loads[2]["error"]
    assert {k for k, present in loads[0]["keys"].items() if present} == {"model", "optimizer", "epoch"}
    assert rank.events_named("resume")[0].data["restored"] == ["model", "optimizer"]


def test_settings_schedulers_and_seeds_are_events(recorded: Recorded) -> None:
    """Optimizer settings at the start and at a change, the scheduler with its settings, seeds."""
    torch.manual_seed(11)
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    train(model, optimizer, 2)
    scheduler.step()
    optimizer.param_groups[0]["betas"] = (0.1, 0.999)
    train(model, optimizer, 2)
    rank = recorded()
    first, changed = (event.data for event in rank.events_named("optimizer"))
    assert (first["class"], first["first"], first["groups"][0]["betas"]) == ("Adam", True, [0.9, 0.999])
    assert (changed["first"], changed["groups"][0]["betas"]) == (False, [0.1, 0.999])
    scheduled = rank.events_named("scheduler")[0].data
    assert (scheduled["class"], scheduled["settings"]["gamma"]) == ("ExponentialLR", 0.5)
    assert rank.series("lr").value.tolist() == pytest.approx([0.1, 0.1, 0.05, 0.05])
    assert rank.series("scheduler.position").value.tolist() == [0, 0, 1, 1]
    assert {"source": "torch", "seed": 11} in [event.data for event in rank.events_named("rng.seeded")]
    described = rank.events_named("model")[0].data
    assert (described["class"], described["depth"], described["activations"]) == (
        "Sequential",
        2,
        {"Relu": 1},
    )


def test_a_whole_tensor_after_a_pass_over_the_training_loader_is_validation(recorded: Recorded) -> None:
    """The loader's last batch was trained on; what the model is given next did not come from it."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = batch(0)
    held_out = batch(1)
    for _ in range(3):
        model.train()
        for rows, labels in torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=4):
            optimizer.zero_grad()
            F.cross_entropy(model(rows), labels).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            F.cross_entropy(model(held_out[0]), held_out[1])
    rank = recorded()
    assert len(rank.series("val.loss", "eval")) == 3
    assert len(rank.series("train_eval.loss", "eval")) == 0


def test_gradients_that_are_never_reset_are_noticed(recorded: Recorded) -> None:
    """Without zero_grad the first backward of a step finds old gradients."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for seed in range(4):
        x, y = batch(seed)
        if seed < 2:
            optimizer.zero_grad(set_to_none=False)
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert recorded().series("grad.zeroed").value.tolist() == [1, 0, 0]


def test_an_optimizer_that_joins_another_and_is_never_reset_is_noticed(recorded: Recorded) -> None:
    """Two optimizers step on one backward; only one of them has its gradients reset."""
    first, second = torch.nn.Linear(3, 3), torch.nn.Linear(3, 2)
    optimizers = [torch.optim.SGD(module.parameters(), lr=0.01) for module in (first, second)]
    for _ in range(5):
        optimizers[0].zero_grad()
        F.cross_entropy(second(first(torch.ones(4, 3))), torch.zeros(4, dtype=torch.long)).backward()
        for optimizer in optimizers:
            optimizer.step()
    assert set(recorded().series("grad.zeroed").value[1:].tolist()) == {0.0}


def test_micro_batches_leave_no_leftovers(recorded: Recorded) -> None:
    """Gradients of earlier micro-batches are what the step is made of."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for step in range(5):
        optimizer.zero_grad()
        for part in range(3):
            x, y = batch(3 * step + part)
            F.cross_entropy(model(x), y).backward()
        optimizer.step()
    assert set(recorded().series("grad.zeroed").value.tolist()) == {1.0}


def test_gradients_that_the_other_network_of_a_gan_left_are_no_leftovers(recorded: Recorded) -> None:
    """They are reset before the network's own turn; without that they are leftovers."""
    critic, maker = torch.nn.Linear(2, 1), torch.nn.Linear(3, 2)
    optimizers = [torch.optim.SGD(module.parameters(), lr=0.01) for module in (critic, maker)]
    for step in range(4):
        made = maker(torch.ones(4, 3))
        if step < 2:
            optimizers[0].zero_grad()
        (critic(made.detach()).mean() - critic(torch.ones(4, 2)).mean()).backward()
        optimizers[0].step()
        optimizers[1].zero_grad()
        critic(made).square().mean().backward()
        optimizers[1].step()
    # A step ends when an optimizer's turn comes again: the last one holds the maker's update alone.
    assert recorded().series("grad.zeroed").value.tolist() == [1, 0, 0, 1]


def test_a_loss_that_stands_out_gets_the_full_set(recorded: Recorded) -> None:
    """Far into the run every sensor looks at the bad batch before the model learns from it."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    session = __import__("spikelore.probes.agent.session", fromlist=["current"]).current
    session.steps.planner.budget.due = lambda step, names: set()
    train(model, optimizer, 90)
    x, y = batch(3)
    optimizer.zero_grad()
    F.cross_entropy(model(x * 40), y).backward()
    optimizer.step()
    train(model, optimizer, 3)
    rank = recorded()
    bad = rank.steps[90].v
    assert {"batch.max", "label.hist", "grad.norm", "output.accuracy", "weight.norm"} <= set(bad)
    assert "batch.max" not in rank.steps[80].v
    assert len(rank.series("loss")) == 94


def test_everything_is_taken_back(recorded: Recorded) -> None:
    """After the end no patch, hook or thread is left, and training goes on."""

    from torch.nn.modules import module
    from torch.optim import optimizer as optimizers

    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, optimizer, 2)
    assert hasattr(torch.autograd.backward, "__wrapped__")
    recorded()
    assert not hasattr(torch.autograd.backward, "__wrapped__")
    assert not hasattr(F.cross_entropy, "__wrapped__")
    assert not hasattr(torch.manual_seed, "__original_fn")
    assert not module._global_forward_hooks
    assert not module._global_forward_pre_hooks
    assert not optimizers._global_optimizer_pre_hooks
    assert not optimizers._global_optimizer_post_hooks
    assert not [t for t in threading.enumerate() if t.name.startswith("spikelore")]
    assert len(train(model, optimizer, 2)) == 2


def test_scripted_functions_still_compile(recorded: Recorded) -> None:
    """TorchScript looks through the patched losses."""

    @torch.jit.script
    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(x, y)

    x, y = batch()
    assert loss(x, y % 3).item() == pytest.approx(F.cross_entropy(x, y % 3).item())
    recorded()
