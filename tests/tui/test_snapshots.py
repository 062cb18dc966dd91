"""What the screens look like, in two sizes, dark and light.

Pictures are compared byte for byte, so they hold for the pinned Textual only. After a wanted change:
``pytest tests/tui/test_snapshots.py --snapshot-update``, then look at each one.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from spikelore.casebase import CaseLibrary
from spikelore.probes.evidence import RunDirectory
from spikelore.tui.app import SpikeloreApp
from spikelore.tui.attaching import Process
from spikelore.tui.screens.workbench import WorkbenchScreen
from spikelore.tui.settings import Settings
from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from . import samples
from .conftest import NOW, until

PINNED = "8.2.8"
pytestmark = pytest.mark.skipif(
    importlib.metadata.version("textual") != PINNED, reason=f"pictures were taken with Textual {PINNED}"
)

LOOKS = [((80, 24), "spikelore-dark"), ((120, 40), "spikelore-light")]
ALL_LOOKS = [
    (size, theme) for size in ((80, 24), (120, 40)) for theme in ("spikelore-dark", "spikelore-light")
]

Compare = Callable[..., bool]
Prepare = Callable[[Pilot[None]], Awaitable[None]]


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing blinks, and notifications stay."""
    monkeypatch.setattr(Input, "cursor_blink", False, raising=False)
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")


@pytest.fixture(autouse=True)
def team(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library with a team's own cases only, as the ones that come along grow."""
    monkeypatch.setenv("SPIKELORE_STARTER", "0")
    with CaseLibrary.open() as library:
        samples.cases(library)


def name(value: object) -> str:
    return f"{value[0]}x{value[1]}" if isinstance(value, tuple) else str(value)


@pytest.fixture
def picture(snap_compare: Compare) -> Callable[[SpikeloreApp, tuple[int, int], Prepare], None]:
    def take(app: SpikeloreApp, size: tuple[int, int], prepare: Prepare) -> None:
        assert snap_compare(app, terminal_size=size, run_before=prepare)

    return take


def quiet(app: SpikeloreApp) -> Callable[[], bool]:
    """Return a condition that holds when no worker but the follower of a run is at work."""
    return lambda: all(worker.is_finished or worker.group == "follow" for worker in app.workers)


async def settled(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    await until(pilot, condition)
    await until(pilot, quiet(pilot.app))  # type: ignore[arg-type]
    await pilot.pause()


@pytest.mark.parametrize(("size", "theme"), ALL_LOOKS, ids=name)
def test_runs(several: Path, picture, size, theme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live, finished, broken and imported runs."""
    monkeypatch.setattr(
        "spikelore.tui.screens.runs_preview.folder_of", lambda row: f"/home/ada/runs/{row.path.name}"
    )
    app = SpikeloreApp(settings=Settings(theme=theme))
    picture(app, size, lambda pilot: settled(pilot, lambda: app.screen.query_one(DataTable).row_count == 5))


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_runs_empty(home: Path, picture, size, theme, monkeypatch: pytest.MonkeyPatch) -> None:
    """No runs yet."""
    monkeypatch.setattr("spikelore.tui.screens.runs.runs_dir", lambda: Path("/home/ada/spikelore/runs"))
    app = SpikeloreApp(settings=Settings(theme=theme))
    picture(app, size, lambda pilot: settled(pilot, lambda: app.screen.has_class("-empty")))


@pytest.mark.parametrize(("size", "theme"), ALL_LOOKS, ids=name)
def test_live(spiked: RunDirectory, picture, size, theme) -> None:
    """The curves of a run that spiked."""
    app = SpikeloreApp(spiked, "live", settings=Settings(theme=theme))
    picture(app, size, lambda pilot: settled(pilot, lambda: app.screen.moment.step == 999))


@pytest.mark.parametrize(
    ("size", "theme"), [((60, 20), "spikelore-dark"), ((140, 45), "spikelore-dark-colourblind")]
)
def test_live_at_the_alarm(spiked: RunDirectory, picture, size, theme) -> None:
    """Zoomed to the alarm, on a logarithmic axis, another quantity below."""
    app = SpikeloreApp(spiked, "live", settings=Settings(theme=theme))

    async def prepare(pilot: Pilot[None]) -> None:
        await settled(pilot, lambda: app.screen.moment.step == 999)
        await pilot.press("a", "l", "g", "comma", "comma")
        await pilot.pause()

    picture(app, size, prepare)


async def diagnosed(pilot: Pilot[None]) -> None:
    app = pilot.app
    await settled(pilot, lambda: app.screen.query_one("#proof").title == "lr")


@pytest.mark.parametrize(("size", "theme"), ALL_LOOKS, ids=name)
def test_triage(spiked: RunDirectory, picture, size, theme) -> None:
    """The diagnosis with evidence and fixes."""
    picture(SpikeloreApp(spiked, "triage", settings=Settings(theme=theme)), size, diagnosed)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_why_not(spiked: RunDirectory, picture, size, theme) -> None:
    """A cause that was ruled out."""

    async def prepare(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pilot.press("w", "down", "down", "down")
        await pilot.pause()

    picture(SpikeloreApp(spiked, "triage", settings=Settings(theme=theme)), size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_similar(spiked: RunDirectory, picture, size, theme) -> None:
    """This incident beside a past one."""

    async def prepare(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pilot.press("s")
        await settled(pilot, lambda: pilot.app.screen.query_one(DataTable).row_count)
        await pilot.press("down", "down", "down")
        await pilot.pause()

    picture(SpikeloreApp(spiked, "triage", settings=Settings(theme=theme)), size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_resolve(spiked: RunDirectory, picture, size, theme) -> None:
    """The form, one fix marked as working."""

    async def prepare(pilot: Pilot[None]) -> None:
        await diagnosed(pilot)
        await pilot.press("r")
        await settled(pilot, lambda: pilot.app.screen.query_one("#outcomes").has_focus)
        await pilot.press("w")
        await pilot.pause()

    picture(SpikeloreApp(spiked, "triage", settings=Settings(theme=theme)), size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_cases(home: Path, picture, size, theme) -> None:
    """A search in the cases of a team."""
    app = SpikeloreApp(settings=Settings(theme=theme))

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await settled(pilot, lambda: app.screen.hits)
        await pilot.press(*"timeout")
        await settled(pilot, lambda: "desync" in str(app.screen.query_one("#left").content))

    picture(app, size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_compare(several: Path, picture, size, theme) -> None:
    """Two runs laid over one another."""
    app = SpikeloreApp(settings=Settings(theme=theme))

    async def prepare(pilot: Pilot[None]) -> None:
        await settled(pilot, lambda: app.screen.query_one(DataTable).row_count == 5)
        await pilot.press("space", "down", "c")
        await settled(pilot, lambda: len(app.screen.subjects) == 2)

    picture(app, size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_rules(home: Path, picture, size, theme) -> None:
    """One cause with its rules and fixes, found by a word."""
    app = SpikeloreApp(settings=Settings(theme=theme))

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.press("3")
        await settled(pilot, lambda: getattr(app.screen, "base", None))
        await pilot.press("slash", *"surge")
        await settled(pilot, lambda: 1 <= app.screen.query_one(DataTable).row_count <= 3)

    picture(app, size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_attach(home: Path, picture, size, theme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ranks, one of them recorded, and a job of somebody else."""
    command = ["python", "train.py", "--config", "configs/vit.yaml"]
    found = [
        Process(4001, command, "ada", "3.11", NOW - 7200, 0.98, 3 << 30, rank=0, world=2, run="/runs/vit"),
        Process(4002, command, "ada", "3.11", NOW - 7200, 0.97, 3 << 30, rank=1, world=2),
        Process(5170, ["python", "-m", "finetune"], "grace", "3.12", NOW - 60, 0.4, 900 << 20),
    ]
    monkeypatch.setattr("spikelore.tui.attaching.training_processes", lambda: found)
    app = SpikeloreApp(settings=Settings(theme=theme))

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.press("4")
        await settled(pilot, lambda: app.screen.query_one(DataTable).row_count == 3)

    picture(app, size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_attach_empty(home: Path, picture, size, theme, monkeypatch: pytest.MonkeyPatch) -> None:
    """No training process on this machine."""
    monkeypatch.setattr("spikelore.tui.attaching.training_processes", list)
    app = SpikeloreApp(settings=Settings(theme=theme))

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.press("4")
        await settled(pilot, lambda: app.screen.has_class("-empty"))

    picture(app, size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_settings(home: Path, picture, size, theme, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form of the settings."""
    monkeypatch.setattr("spikelore.tui.screens.settings.home", lambda: Path("/home/ada/spikelore"))
    monkeypatch.setattr("spikelore.tui.settings.home", lambda: Path("/home/ada/spikelore"))
    monkeypatch.setattr("spikelore.tui.screens.settings.database_url", lambda: "sqlite:////home/ada/cases.db")
    app = SpikeloreApp(settings=Settings(theme=theme, author="Ada"))

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.press("5")
        await settled(pilot, lambda: app.screen.query_one("#author"))

    picture(app, size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_workbench(home: Path, picture, size, theme) -> None:
    """A rule with a name mistaken."""
    app = SpikeloreApp(settings=Settings(theme=theme))

    async def prepare(pilot: Pilot[None]) -> None:
        await pilot.press("3")
        await settled(pilot, lambda: getattr(app.screen, "base", None))
        await pilot.press("n")
        await settled(pilot, lambda: isinstance(app.screen, WorkbenchScreen))
        screen = app.screen
        assert isinstance(screen, WorkbenchScreen)
        screen.editor.cursor_blink = False
        screen.editor.text = screen.editor.text.replace("grad.norm_ratio\n", "grad.norm_ration\n")
        await settled(pilot, lambda: screen.found.option_count)
        screen.found.focus()
        await pilot.press("home", "enter")
        await pilot.pause()

    picture(app, size, prepare)


@pytest.mark.parametrize(("size", "theme"), LOOKS, ids=name)
def test_help(spiked: RunDirectory, picture, size, theme) -> None:
    """F1 over the curves."""
    app = SpikeloreApp(spiked, "live", settings=Settings(theme=theme))

    async def prepare(pilot: Pilot[None]) -> None:
        await settled(pilot, lambda: app.screen.moment.step == 999)
        await pilot.press("f1")
        await settled(pilot, lambda: app.screen.query_one("#keys"))

    picture(app, size, prepare)
