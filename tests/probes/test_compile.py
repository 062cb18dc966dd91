"""torch.compile: as many graphs as without probes, and what cannot be seen is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from .jobs import plain, probed, written

SCRIPT = """
import sys
import torch
import torch._dynamo.testing
import torch.nn.functional as F
torch.set_num_threads(1)
torch.manual_seed(0)
counter = torch._dynamo.testing.CompileCounter()
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
run, loss_of, update = model, F.cross_entropy, optimizer.step
if {what!r} == "model":
    run = torch.compile(model, backend=counter)
if {what!r} == "loss":
    loss_of = torch.compile(lambda o, t: F.cross_entropy(o, t), backend=counter)
if {what!r} == "in place":
    model.compile(backend=counter)
if {what!r} == "update":
    update = torch.compile(optimizer.step, backend=counter)
x, y = torch.randn(32, 8), torch.arange(32) % 3
for start in range(0, 32, 8):
    optimizer.zero_grad()
    loss = loss_of(run(x[start:start + 8]), y[start:start + 8])
    loss.backward()
    update()
    print("loss", repr(loss.item()))
with torch.no_grad():
    print("val", repr(F.cross_entropy(run(x), y).item()))
print("graphs", counter.frame_count, sum(torch._dynamo.utils.counters["graph_break"].values()))
"""


@pytest.mark.parametrize("what", ["model", "loss", "in place", "update"])
def test_compiled_parts_stay_as_they_are_and_losses_are_seen(what: str, tmp_path: Path) -> None:
    """Losses, graphs, breaks and stderr as without probes; every loss is recorded."""
    command = written(tmp_path, SCRIPT.format(what=what))
    without, under = plain(tmp_path, command), probed(tmp_path, command)
    assert under.code == 0, under.stderr
    assert under.stdout == without.stdout
    assert ("global hooks" in under.stderr) is False
    rank = under.evidence.primary
    assert rank.series("loss").value.tolist() == pytest.approx(under.losses)
    assert rank.series("val.loss", "eval").value.tolist() == pytest.approx(under.validation)
    assert rank.events_named("probe.disabled") == []
    notes = " ".join(under.evidence.manifest.notes)
    assert ("optimizer.step runs where probes cannot see it" in notes) is (what == "update")
    if what != "update":
        assert rank.events_named("model")[0].data["class"] == "Sequential"
        assert rank.series("mode.train").value[-1] == 1
