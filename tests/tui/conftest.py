"""A home of its own for every test, real runs in it, and a clock that stands still."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from spikelore.probes.evidence import RunDirectory
from spikelore.tui import clock, language
from spikelore.tui.app import SpikeloreApp
from spikelore.tui.settings import Settings
from textual.pilot import Pilot

from . import samples

NOW = samples.START + 7200.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep settings, runs and cases of a test in its own folder."""
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("USER", "ada")
    for name in ("SPIKELORE_DB", "SPIKELORE_LANG", "SPIKELORE_RULES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    language.use("en")
    (tmp_path / "home" / "runs").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def runs(home: Path) -> Path:
    """The home's folder of runs."""
    return home / "runs"


@pytest.fixture
def spiked(runs: Path) -> RunDirectory:
    """A run that spiked, diagnosed by its watcher."""
    return samples.spiked(runs / "resnet-digits")


@pytest.fixture
def several(spiked: RunDirectory, runs: Path) -> Path:
    """The spiked run among a healthy, a live, a broken and an imported one."""
    start = samples.START
    samples.write(runs / "gpt", samples.manifest("gpt-small", created=start - 9000, ended=start - 800), 600)
    live = samples.manifest("vit-base", state="running", exit_code=None, ended=None, pid=os.getpid(), host="")
    samples.write(runs / "vit", live, 700)
    samples.write(
        runs / "unet", samples.manifest("unet-nan", state="failed", created=start - 99000), 500, nan_at=420
    )
    samples.write(runs / "log", samples.manifest("old-log", source="tensorboard", state="imported"), 300)
    return runs


@pytest.fixture
def app() -> SpikeloreApp:
    """The application on the home's runs."""
    return SpikeloreApp(settings=Settings())


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = 40.0) -> None:
    """Let the application work until a condition holds; fail with its screen if it never does."""
    for _ in range(int(seconds / 0.02)):
        await pilot.pause()
        try:
            if condition():
                await pilot.pause()
                return
        except Exception:
            pass
        await pilot.pause(0.02)
    pytest.fail(f"waited in vain on {pilot.app.screen}")


Step = Callable[[Pilot[None]], Awaitable[None]]
