"""The workbench: a rule is written, checked, tried and saved without leaving the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from spikelore.casebase import CaseLibrary
from spikelore.rules.diagnosis import Diagnosis, Level, Spike
from spikelore.rules.rulebase import RuleBase
from spikelore.tui.app import SpikeloreApp
from spikelore.tui.rule_writing import new_text
from spikelore.tui.screens.confirm import Confirm
from spikelore.tui.screens.rules import RulesScreen
from spikelore.tui.screens.workbench import WorkbenchScreen
from textual.content import Content
from textual.pilot import Pilot

from . import samples
from .conftest import until

EXPLODING = "model.exploding-gradients"


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A team directory that is not there yet."""
    monkeypatch.setenv("SPIKELORE_RULES", str(tmp_path / "team"))
    return tmp_path / "team"


async def bench(pilot: Pilot[None]) -> WorkbenchScreen:
    """Open a new rule from the rules screen, by keys."""
    await until(pilot, lambda: pilot.app.screen.name != "_default")
    await pilot.press("3")
    await until(pilot, lambda: isinstance(pilot.app.screen, RulesScreen) and pilot.app.screen.base)
    await pilot.press("n")
    await until(pilot, lambda: isinstance(pilot.app.screen, WorkbenchScreen))
    screen = pilot.app.screen
    assert isinstance(screen, WorkbenchScreen)
    await until(pilot, lambda: "Sound" in said(screen))
    return screen


def said(screen: WorkbenchScreen) -> str:
    return str(screen.result.render())


async def test_a_typo_is_shown_with_its_line(app: SpikeloreApp, team: Path) -> None:
    """The problem names the fact that was meant, its line is underlined, and enter leads to it."""
    async with app.run_test(size=(100, 34)) as pilot:
        screen = await bench(pilot)
        screen.editor.text = new_text().replace("grad.norm_ratio\n", "grad.norm_ration\n")
        line = screen.editor.text.splitlines().index("- fact: grad.norm_ration")
        await until(pilot, lambda: screen.found.option_count >= 1)
        assert line in screen.editor.bad
        screen.found.focus()
        await pilot.press("home", "enter")
        await until(pilot, lambda: screen.editor.cursor_location[0] == line)
        await pilot.press("ctrl+t")
        assert "✓" not in said(screen)


async def test_cases_run_and_a_backtest_counts(
    app: SpikeloreApp, team: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule is tried on its own cases and on a real library."""
    monkeypatch.setenv("SPIKELORE_STARTER", "0")
    with CaseLibrary.open(f"sqlite:///{home / 'cases.db'}", starter=False) as library:
        for run, ratio in (("a", 240.0), ("b", 2.0)):
            spike = Spike(5, 0.1, 5, Level(0.3, 4.8, 16.0), None, recovered=False, nonfinite=False)
            found = Diagnosis(run, "spike", spike=spike, facts={"grad.norm_ratio": ratio})
            library.resolve(library.open_incident(found, samples.manifest(run)), EXPLODING)
    async with app.run_test(size=(100, 34)) as pilot:
        screen = await bench(pilot)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: said(screen).count("✓") == 2)
        await pilot.press("ctrl+b")
        await until(pilot, lambda: "incidents of its cause" in said(screen))
        fired, _, of = said(screen).splitlines()[1].split()[:3]
        assert (fired, of) == ("1", "2")


async def test_a_saved_rule_is_in_force(app: SpikeloreApp, team: Path) -> None:
    """The file stands in the team's directory, passes the checks, and the list of rules shows it."""
    async with app.run_test(size=(100, 34)) as pilot:
        screen = await bench(pilot)
        screen.editor.text = new_text().replace("id: new-rule", "id: norm-rises")
        await until(pilot, lambda: "Sound" in said(screen) and screen._examined[0] == screen.editor.text)
        await pilot.press("ctrl+s")
        await until(pilot, (team / "norm-rises.yaml").is_file)
        base = RuleBase.load()
        assert base.problems == []
        assert base.is_team("norm-rises")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RulesScreen))
        await until(pilot, lambda: "norm-rises" in app.screen.base.rules)


async def test_a_file_changed_by_another_is_not_written_over_unasked(app: SpikeloreApp, team: Path) -> None:
    """A no leaves the other's words, a yes replaces them, and one's own file is saved again unasked."""
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await bench(pilot)
        screen.editor.text = new_text().replace("id: new-rule", "id: norm-rises")
        await until(pilot, lambda: "Sound" in said(screen) and screen._examined[0] == screen.editor.text)
        path = team / "norm-rises.yaml"
        await pilot.press("ctrl+s")
        await until(pilot, path.is_file)
        await pilot.press("ctrl+s")
        await pilot.pause(0.1)
        assert app.screen is screen
        path.write_text("# of another\n", encoding="utf-8")
        for answer, begins in (("n", "# of another"), ("y", "# ")):
            await pilot.press("ctrl+s")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            await pilot.press(answer)
            await until(pilot, lambda: app.screen is screen)
            assert path.read_text(encoding="utf-8").startswith(begins)
        await until(pilot, lambda: path.read_text(encoding="utf-8") == screen.editor.text)


async def test_a_long_result_can_be_read_to_its_end(app: SpikeloreApp, team: Path) -> None:
    """F2 gives the result the keys and more room, and gives both back."""
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await bench(pilot)
        screen.post_message(screen.Said(Content("\n".join(f"line {n}" for n in range(60)))))
        await until(pilot, lambda: "line 59" in said(screen))
        before = screen.told.size.height
        await pilot.press("f2")
        await until(pilot, lambda: screen.told.size.height > before)
        await pilot.press("end")
        await until(pilot, lambda: screen.told.scroll_y == screen.told.max_scroll_y > 0)
        await pilot.press("f2")
        assert screen.editor.has_focus


async def test_unsaved_text_is_asked_about(app: SpikeloreApp, team: Path) -> None:
    """Leaving with changes needs a yes; no goes back to the text."""
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await bench(pilot)
        screen.editor.text += "# more\n"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("n")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, RulesScreen))
