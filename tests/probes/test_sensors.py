"""Sensors of single aspects, each on the smallest loop that shows it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name every PyTorch user knows
from spikelore.probes.agent.session import begin
from spikelore.probes.agent.settings import Settings
from spikelore.probes.evidence import Field, RunDirectory, RunManifest
from spikelore.probes.evidence.reader import RankEvidence, RunEvidence
from spikelore.probes.sensors import Sensor, sensor_classes
from torch import nn

SENSORS = sensor_classes()


@pytest.mark.parametrize("sensor", SENSORS, ids=lambda sensor: sensor.name)
def test_every_sensor_keeps_the_contract(sensor: type[Sensor]) -> None:
    """A unique name, a documented table of fields, hooks of the base class only."""
    assert sensor.name
    assert [other.name for other in SENSORS].count(sensor.name) == 1
    assert all(isinstance(field, Field) and field.doc and field.unit for field in sensor.FIELDS)
    assert sensor.__doc__
    own = [name for name, value in vars(sensor).items() if callable(value) and not name.startswith("_")]
    assert set(own) <= set(vars(Sensor))
    assert set(sensor.always) <= set(vars(Sensor))


def test_no_two_sensors_write_the_same_name() -> None:
    """Each row of the evidence table has one owner."""
    names = [field.name for sensor in SENSORS for field in sensor.FIELDS]
    shared = {name for name in names if names.count(name) > 1}
    assert not shared


class Recording:
    """Probes in this process round a few steps."""

    def __init__(self, tmp_path: Path) -> None:
        self.run = RunDirectory.create(tmp_path / "run", RunManifest("r", 0.0))
        self.session = begin(Settings(self.run.path))

    def end(self) -> RankEvidence:
        self.session.lifecycle.end()
        rank = RunEvidence.load(self.run).primary
        assert rank.events_named("probe.disabled") == []
        return rank


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))
    torch.manual_seed(0)
    found = Recording(tmp_path)
    yield found
    found.session.lifecycle.end()


def one_step(model: nn.Module, x: torch.Tensor) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    model(x).square().mean().backward()
    optimizer.step()


def test_saturation_is_seen_in_functions_and_modules(recording: Recording) -> None:
    """A sigmoid driven far out is saturated, a ReLU fed with negatives is dead."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.relu(torch.sigmoid(self.layer(x) + 100.0) - 2.0)

    one_step(Net(), torch.randn(8, 4))
    values = recording.end().steps[0].v
    assert values["act.saturated"] == 1.0
    assert values["act.dead"] == 1.0
    assert values["act.nonfinite"] == 0


def test_heavy_tails_of_activations_are_measured(recording: Recording) -> None:
    """The kurtosis of what a ReLU lets through; zeros do not count."""
    x = torch.cat([torch.full((1, 99), 1.0), torch.full((1, 1), 101.0), torch.full((1, 300), -1.0)], 1)
    one_step(nn.Sequential(nn.Linear(1, 1), Passed(x)), torch.ones(1, 1))
    # One of a hundred stands out: mean fourth power over squared mean square, (99 + 101^4) / 100 / 103^2.
    assert recording.end().steps[0].v["act.kurtosis"] == pytest.approx(98.09, abs=0.02)


class Passed(nn.Module):
    """Gives fixed values, whatever the input, through a ReLU."""

    def __init__(self, values: torch.Tensor) -> None:
        super().__init__()
        self.values = values

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.values + 0.0 * x)


def test_attention_logits_are_measured(recording: Recording) -> None:
    """The largest logit of plain attention is q k / sqrt(d), taken where the model calls it."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(3.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.scaled_dot_product_attention(x * self.scale, x, x)

    x = torch.randn(1, 2, 6, 16)
    expected = float((3 * x @ x.transpose(-1, -2)).abs().max() / 4)
    one_step(Net(), x)
    assert recording.end().series("attn.logit_max").value.tolist() == pytest.approx([expected])


def test_a_reseeded_generator_shows_in_its_state(recording: Recording) -> None:
    """The same seed before two steps gives the same state, another draw another one."""
    model = nn.Linear(4, 1)
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        one_step(model, torch.randn(2, 4))
    states = [value for _, value in recording.end().values("rng.state")]
    assert states[0] == states[1] != states[2]


def test_kernel_messages_become_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only messages that came while the job ran, each with its kind."""
    log = tmp_path / "kern.log"
    log.write_text("NVRM: Xid (PCI:0000:01:00): 13, before the job\n")
    monkeypatch.setenv("SPIKELORE_KERNEL_LOG", str(log))
    recording = Recording(tmp_path)
    one_step(nn.Linear(4, 1), torch.randn(2, 4))
    time.sleep(0.3)
    with log.open("a") as stream:
        stream.write("usb 1-1: new device\nNVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus\n")
        stream.write("Out of memory: Killed process 1234 (python)\n")
    deadline = time.monotonic() + 20
    sensor = next(s for s in recording.session.dispatch.sensors if s.name == "kernel-log")
    while sensor._told < 2 and time.monotonic() < deadline:  # type: ignore[attr-defined]
        time.sleep(0.05)
    events = [event.data for event in recording.end().events_named("system")]
    assert [event["kind"] for event in events] == ["xid", "oom_killer"]
    assert "fallen off the bus" in events[0]["text"]


def test_a_state_that_was_offered_and_not_restored_is_named(recording: Recording, tmp_path: Path) -> None:
    """Resuming with the model alone from a checkpoint that has the optimizer too is an incomplete resume."""
    model = nn.Linear(4, 1)
    optimizer = torch.optim.Adam(model.parameters())
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, tmp_path / "c.pt")
    model.load_state_dict(torch.load(tmp_path / "c.pt")["model"])
    one_step(model, torch.randn(2, 4))
    resumed = recording.end().events_named("resume")[0].data
    assert (resumed["restored"], resumed["left_out"]) == (["model"], ["optimizer"])


def test_host_gauges_are_taken_while_the_job_runs(recording: Recording) -> None:
    """Memory, load and resident size arrive without any step."""
    one_step(nn.Linear(4, 1), torch.randn(2, 4))
    time.sleep(0.5)
    gauge = recording.end().gauges[0].v
    assert 0 < gauge["host.memory"] < 1  # type: ignore[operator]
    assert gauge["process.rss"] > 1 << 20  # type: ignore[operator]


def test_signals_are_measured_where_they_enter_a_layer(recording: Recording) -> None:
    """The root mean square of the largest input of a layer, in float32 also where the layer is half."""
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 1))
    with torch.no_grad():
        model[0].weight.copy_(50.0 * torch.eye(4))
    one_step(model, torch.full((3, 4), 2.0))
    values = recording.end().steps[0].v
    assert values["act.size"] == pytest.approx(100.0)
    assert values["graph.half"] == 0.0


def test_a_softmax_that_chooses_is_told_from_one_that_mixes(recording: Recording) -> None:
    """A router that sends all rows to one expert has a load of 1; attention on one place each has none."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(100.0))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            mixed = torch.softmax(self.scale * torch.eye(4)[None], -1) @ x[None]
            gate = torch.softmax(self.scale * torch.tensor([[1.0, 0.0, 0.0]]).expand(4, 3), -1)
            return (mixed[0][:, :3] * gate).sum(1)

    one_step(Net(), torch.randn(4, 4))
    values = recording.end().steps[0].v
    assert values["attn.peak"] == pytest.approx(1.0)
    assert values["gate.load"] == pytest.approx(1.0)


def test_float16_behind_the_loss_is_seen(recording: Recording) -> None:
    """What autocast computes in half precision counts by its share."""
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    with torch.autocast("cpu", torch.float16):
        loss = model(torch.randn(8, 4)).float().square().mean()
    loss.backward()
    optimizer.step()
    assert 0.2 < recording.end().steps[0].v["graph.half"] < 1.0
