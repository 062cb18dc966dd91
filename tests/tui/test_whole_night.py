"""One incident from a running job to a case that search finds, with nothing played: job, probes, watcher."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from spikelore.casebase import CaseLibrary
from spikelore.tui.app import SpikeloreApp
from spikelore.tui.screens.attach import AttachScreen
from spikelore.tui.screens.cases import CasesScreen
from spikelore.tui.screens.live import LiveScreen
from spikelore.tui.screens.resolve import ResolveScreen
from spikelore.tui.screens.triage import TriageScreen
from spikelore.tui.widgets.outcomes import FixOutcomes

from .conftest import until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the injection is tried on x86-64 Linux"
)

TRAIN = """
import os, sys, time
import torch
torch.set_num_threads(1)
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
surged = False
for step in range(100_000):
    if os.path.exists(sys.argv[1]):
        break
    if not surged and os.path.exists(sys.argv[2]):
        optimizer.param_groups[0]["lr"] = 4.0
        surged = True
    x = torch.randn(32, 8)
    loss = (model(x) - x.sin().sum(1, keepdim=True)).square().mean() + 0.05
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    time.sleep(0.004)
"""


class Job:
    """A training job that nobody prepared for probes."""

    def __init__(self, folder: Path) -> None:
        self.stop, self.surge = folder / "stop", folder / "surge"
        script = folder / "train.py"
        script.write_text(TRAIN, encoding="utf-8")
        bare = {k: v for k, v in os.environ.items() if not k.startswith(("SPIKELORE", "PYTHONPATH"))}
        command = [sys.executable, str(script), str(self.stop), str(self.surge)]
        self.process = subprocess.Popen(command, env=bare, stdout=subprocess.DEVNULL)


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    running = Job(tmp_path)
    yield running
    running.stop.touch()
    try:
        assert running.process.wait(20) == 0
    finally:
        running.process.kill()


async def test_attach_alarm_triage_resolve_search(app: SpikeloreApp, job: Job) -> None:
    """By keys alone; the rate is the cause, and the job goes on to its own end."""
    pid = str(job.process.pid)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: isinstance(app.screen, AttachScreen) and pid in app.screen.processes)
        table = app.screen.table
        table.move_cursor(row=table.get_row_index(pid))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen) and app.screen.moment)
        live = app.screen
        await until(pilot, lambda: live.extent and live.extent[1] > 250)
        assert live.alarm is None
        job.surge.touch()
        await until(pilot, lambda: live.alarm is not None)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, TriageScreen) and app.screen.causes.chosen)
        triage = app.screen
        assert isinstance(triage, TriageScreen)
        assert triage.diagnosis is not None
        assert triage.diagnosis.causes[0].id == "strategy.lr-surge"
        await pilot.press("r")
        await until(
            pilot,
            lambda: isinstance(app.screen, ResolveScreen) and app.screen.query_one(FixOutcomes).has_focus,
        )
        await pilot.press("w", "ctrl+s")
        await until(pilot, lambda: triage.incident)
        await pilot.press("2")
        await until(pilot, lambda: isinstance(app.screen, CasesScreen))
        await pilot.press(*"surge")
        await until(pilot, lambda: triage.incident in app.screen.hits)
    with CaseLibrary.open() as library:
        assert library.get(triage.incident or "").confirmed == "strategy.lr-surge"
    assert job.process.poll() is None
