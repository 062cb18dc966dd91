"""From the list of runs to a resolved incident that search finds, keys only."""

from __future__ import annotations

from pathlib import Path

import pytest
from spikelore.casebase import CaseLibrary
from spikelore.probes.evidence import RunDirectory
from spikelore.tui.app import SpikeloreApp
from spikelore.tui.screens.cases import CasesScreen
from spikelore.tui.screens.live import LiveScreen
from spikelore.tui.screens.resolve import ResolveScreen
from spikelore.tui.screens.runs import RunsScreen
from spikelore.tui.screens.triage import TriageScreen
from spikelore.tui.settings import Settings
from spikelore.tui.widgets.outcomes import FixOutcomes
from textual.pilot import Pilot
from textual.widgets import DataTable, Input

from .conftest import until

SIZE = (120, 40)


class Keys:
    """Presses keys and counts them."""

    def __init__(self, pilot: Pilot[None]) -> None:
        self.pilot = pilot
        self.count = 0

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            self.count += 1


def screen_is(app: SpikeloreApp, kind: type) -> bool:
    return isinstance(app.screen, kind)


async def to_runs(pilot: Pilot[None], app: SpikeloreApp) -> None:
    await until(pilot, lambda: screen_is(app, RunsScreen) and app.screen.query_one(DataTable).row_count)


async def to_triage(pilot: Pilot[None], app: SpikeloreApp, keys: Keys) -> TriageScreen:
    await to_runs(pilot, app)
    await keys.press("enter")
    await until(pilot, lambda: screen_is(app, LiveScreen) and app.screen.moment)
    await keys.press("d")
    await until(pilot, lambda: screen_is(app, TriageScreen) and app.screen.causes.chosen)
    assert isinstance(app.screen, TriageScreen)
    return app.screen


async def to_form(pilot: Pilot[None], app: SpikeloreApp) -> None:
    await until(pilot, lambda: screen_is(app, ResolveScreen) and app.screen.query_one(FixOutcomes).has_focus)


async def test_a_copied_fix_is_four_keys_away(app: SpikeloreApp, spiked: RunDirectory) -> None:
    """From the list of runs, at most four keys put the best fix into the clipboard."""
    async with app.run_test(size=SIZE) as pilot:
        keys = Keys(pilot)
        triage = await to_triage(pilot, app, keys)
        await keys.press("c")
        await pilot.pause()
        assert keys.count <= 4
        assert triage.diagnosis is not None
        assert app.clipboard in [fix.code for fix in triage.diagnosis.causes[0].fixes if fix.when == "now"]


async def test_a_resolved_incident_is_ten_keys_away_and_search_finds_it(
    app: SpikeloreApp, spiked: RunDirectory
) -> None:
    """Copying the fix and resolving takes at most ten keys; the case is in the library and in the search."""
    async with app.run_test(size=SIZE) as pilot:
        keys = Keys(pilot)
        triage = await to_triage(pilot, app, keys)
        await keys.press("c", "r")
        await to_form(pilot, app)
        await keys.press("w", "ctrl+s")
        await until(pilot, lambda: triage.incident)
        assert keys.count <= 10
        with CaseLibrary.open() as library:
            case = library.get(triage.incident or "")
        assert (case.state, case.confirmed, case.resolved_by) == ("resolved", "strategy.lr-surge", "ada")
        assert [(fix.fix, fix.outcome) for fix in case.fixes] == [("fix.repair-schedule", "worked")]
        await pilot.press("2")
        await until(pilot, lambda: screen_is(app, CasesScreen))
        await pilot.press(*"surge")
        await until(pilot, lambda: case.id in app.screen.hits)


async def test_resolving_can_be_taken_back(app: SpikeloreApp, spiked: RunDirectory) -> None:
    """After resolving, u opens the incident again."""
    async with app.run_test(size=SIZE) as pilot:
        triage = await to_triage(pilot, app, Keys(pilot))
        await pilot.press("r")
        await to_form(pilot, app)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: triage.incident)
        incident = triage.incident or ""
        await pilot.press("u")
        await until(pilot, lambda: state_of(incident) == "open")
        assert triage.incident is None


def state_of(incident: str) -> str:
    with CaseLibrary.open() as library:
        return library.get(incident).state


async def test_the_diagnosis_knows_at_once_what_was_resolved(
    app: SpikeloreApp, spiked: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run of the same kind is told that the fix worked before."""
    # Without the cases that come along, so that only what was resolved here counts.
    monkeypatch.setenv("SPIKELORE_STARTER", "0")
    async with app.run_test(size=SIZE) as pilot:
        triage = await to_triage(pilot, app, Keys(pilot))
        await pilot.press("c", "r")
        await to_form(pilot, app)
        await pilot.press("w", "ctrl+s")
        await until(pilot, lambda: triage.incident)
    from . import samples

    other = samples.spiked(spiked.path.parent / "other", "resnet-again", id="other")
    second = SpikeloreApp(other, "triage", settings=Settings())
    async with second.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: second.screen.diagnosis.causes[0].fixes[0].tried == 1)
        first = second.screen.diagnosis.causes[0].fixes[0]
        assert (first.id, first.worked) == ("fix.repair-schedule", 1)
        assert second.screen.diagnosis.similar


async def test_escape_leads_back_step_by_step(app: SpikeloreApp, spiked: RunDirectory) -> None:
    """Escape goes from the triage to the curves and from there to the list."""
    async with app.run_test(size=SIZE) as pilot:
        await to_triage(pilot, app, Keys(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: screen_is(app, LiveScreen))
        await pilot.press("escape")
        await until(pilot, lambda: screen_is(app, RunsScreen))
        await pilot.press("escape")
        assert screen_is(app, RunsScreen)


async def test_a_run_given_at_the_start_opens_in_the_triage(spiked: RunDirectory) -> None:
    """Opened on a run, the application shows its diagnosis, its curves one step back."""
    app = SpikeloreApp(spiked, "triage", settings=Settings())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: screen_is(app, TriageScreen) and app.screen.causes.chosen)
        await pilot.press("l")
        await until(pilot, lambda: screen_is(app, LiveScreen))


async def test_typing_filters_the_runs_and_enter_opens(app: SpikeloreApp, several: Path) -> None:
    """The filter narrows the list while typing; enter opens what is left."""
    async with app.run_test(size=SIZE) as pilot:
        await to_runs(pilot, app)
        assert app.screen.query_one(DataTable).row_count == 5
        await pilot.press("slash", *"unet")
        await until(pilot, lambda: app.screen.query_one(DataTable).row_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: screen_is(app, LiveScreen) and app.screen.moment)
        assert app.screen.moment.manifest.name == "unet-nan"


async def test_the_mouse_does_what_keys_do(app: SpikeloreApp, several: Path) -> None:
    """A click chooses a row, a second one opens it; footer keys, places and causes are buttons."""
    async with app.run_test(size=SIZE) as pilot:
        await to_runs(pilot, app)
        table = app.screen.query_one(DataTable)
        row = next(n for n in range(table.row_count) if "resnet" in str(table.get_row_at(n)[1]))
        for _ in range(2):
            await pilot.click(DataTable, offset=(12, row + 1))
        await until(pilot, lambda: screen_is(app, LiveScreen) and app.screen.moment)
        assert app.screen.run.path.name == "resnet-digits"
        footer = {key.description: key for key in app.screen.query("FooterKey")}
        await pilot.click(footer["Diagnose"])
        await until(pilot, lambda: screen_is(app, TriageScreen) and app.screen.causes.chosen)
        first = app.screen.causes.chosen
        await pilot.click(app.screen.causes, offset=(10, 1))
        await until(pilot, lambda: app.screen.causes.chosen != first)
        await pilot.click("Masthead", offset=(26, 0))
        await until(pilot, lambda: screen_is(app, CasesScreen))


async def test_an_unreadable_run_is_listed_with_its_problem(app: SpikeloreApp, runs: Path) -> None:
    """A run whose manifest is broken costs nothing but its own row."""
    (runs / "broken").mkdir()
    (runs / "broken" / "run.json").write_text("{")
    async with app.run_test(size=SIZE) as pilot:
        await to_runs(pilot, app)
        await pilot.press("enter", "d")
        assert screen_is(app, RunsScreen)
        assert "run.json" in str(app.screen.table.get_row_at(0)[-1])


async def test_an_empty_list_says_what_to_do(app: SpikeloreApp) -> None:
    """Without runs the screen shows the command that records one."""
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.has_class("-empty"))
        assert "spikelore run -- python train.py" in str(app.screen.query_one("#advice").content)


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (300, 100)])
async def test_every_place_fits_every_size(app: SpikeloreApp, several: Path, size: tuple[int, int]) -> None:
    """From 60x20 to 300x100 each place draws without an error, and nothing is wider than the terminal."""
    async with app.run_test(size=size) as pilot:
        for key in "12345":
            await pilot.press(key)
            await pilot.pause()
            await until(pilot, lambda: not app.screen.query(Input) or app.screen.is_mounted)
            assert all(widget.region.right <= size[0] for widget in app.screen.query("#body > *"))
