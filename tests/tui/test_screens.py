"""What each screen does beyond the main flow."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from spikelore.casebase import CaseLibrary
from spikelore.probes.evidence import RunDirectory, Step, encode
from spikelore.probes.evidence.rundir import Alarm
from spikelore.rules.diagnosis import NotCause
from spikelore.tui import language, settings
from spikelore.tui.app import SpikeloreApp
from spikelore.tui.screens.compare import CompareScreen
from spikelore.tui.screens.help import HelpScreen
from spikelore.tui.screens.live import LiveScreen
from spikelore.tui.settings import Settings
from spikelore.tui.widgets.fixes import FixCard
from spikelore.tui.widgets.plot import Plot
from textual.command import CommandPalette
from textual.widgets import DataTable, Input, OptionList, Select, Static

from . import samples
from .conftest import until

SIZE = (120, 40)


def live_app(run: RunDirectory) -> SpikeloreApp:
    return SpikeloreApp(run, "live", settings=Settings())


def text(app: SpikeloreApp, selector: str) -> str:
    return str(app.screen.query_one(selector, Static).content)


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database below a file, where no folder can be."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPIKELORE_DB", f"sqlite:///{tmp_path}/file/cases.db")
    return "cases.db"


async def test_the_curves_grow_with_the_run(runs: Path) -> None:
    """Steps written while the screen is open are drawn, and the alarm is marked when it comes."""
    run = samples.write(runs / "live", samples.manifest("live", state="running", host=""), 50)
    app = live_app(run)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.moment.step == 49)
        assert "No alarm" in text(app, "#banner")
        path = next(path for _, _, path in run.evidence_files())
        with path.open("ab") as stream:
            stream.writelines(encode(Step(step, 0.0, v={"loss": 6.0})) for step in range(50, 90))
        run.append_alarm(Alarm("alarm", 50, before=0.4, after=6.0))
        await until(pilot, lambda: app.screen.moment.step == 89 and app.screen.alarm == 50)
        plot = app.screen.query_one("#loss", Plot)
        assert plot.alarm == 50
        assert plot.lines[0].y[-1] == 6.0
        assert "Loss spike" in text(app, "#banner")


async def test_a_loss_that_is_no_number_is_marked(runs: Path) -> None:
    """NaN losses are told in the legend and marked at the upper edge of the plot."""
    run = samples.write(runs / "nan", samples.manifest("nan"), 200, nan_at=150)
    app = live_app(run)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.moment.step == 199)
        plot = app.screen.query_one("#loss", Plot)
        rows = [plot.render_line(y).text for y in range(plot.size.height)]
        assert "NaN" in rows[0]
        assert "✕" in rows[1]


async def test_events_stand_beside_the_curves(spiked: RunDirectory) -> None:
    """In a wide terminal what happened once is listed with its step, routine left out."""
    app = live_app(spiked)
    async with app.run_test(size=(150, 40)) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.moment.step == 999)
        await until(pilot, lambda: "ckpt/epoch-6.pt" in text(app, "#events"))
        assert "600" in text(app, "#events")
        assert app.screen.query_one("#events").display


async def test_zoom_pan_and_back(spiked: RunDirectory) -> None:
    """The alarm, plus, minus, the arrows and 0 move both plots together."""
    app = live_app(spiked)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.alarm is not None)
        plots = list(app.screen.query(Plot))
        await pilot.press("a")
        low, high = plots[0].view or (0, 0)
        assert low < samples.ONSET < high
        assert plots[1].view == plots[0].view
        await pilot.press("plus")
        assert (plots[0].view or (0, 0))[1] - (plots[0].view or (0, 0))[0] == pytest.approx((high - low) / 2)
        before = plots[0].view or (0, 0)
        await pilot.press("left")
        assert (plots[0].view or (0, 0))[0] < before[0]
        await pilot.press("0")
        assert plots[0].view is None


async def test_the_cursor_reads_values(spiked: RunDirectory) -> None:
    """Moved by keys, the cursor shows the values at its step in the legend."""
    app = live_app(spiked)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.moment.step == 999)
        for _ in range(40):
            await pilot.press("comma")
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        line = screen.loss_plot.lines[0]
        index = int(np.searchsorted(line.x, screen.cursor or 0, side="right")) - 1
        from spikelore.tui.numbers import number

        assert number(float(line.y[index])) in screen.loss_plot.render_line(0).text


async def test_the_lower_plot_goes_through_what_was_recorded(spiked: RunDirectory) -> None:
    """Each press of g shows another recorded quantity, and none that was not recorded."""
    app = live_app(spiked)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.moment.step == 999)
        titles = []
        for _ in range(3):
            titles.append(app.screen.query_one("#lower", Plot).title)
            await pilot.press("g")
        assert titles == ["gradient norm", "learning rate", "update ratio"]


async def test_epoch_means(spiked: RunDirectory) -> None:
    """By epochs, the training curve has one point an epoch: the mean of its steps."""
    app = live_app(spiked)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.moment.step == 999)
        every = app.screen.query_one("#loss", Plot).lines[0]
        await pilot.press("e")
        means = app.screen.query_one("#loss", Plot).lines[0]
        assert len(means.x) == 10
        assert means.y[0] == pytest.approx(float(np.mean(every.y[:100])))


async def test_a_run_directory_that_goes_away_leaves_the_screen_usable(runs: Path) -> None:
    """When the directory vanishes, the curves stay and keys still work."""
    run = samples.write(runs / "gone", samples.manifest("gone"), 100)
    app = live_app(run)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.moment.step == 99)
        run.path.rename(run.path.with_name("elsewhere"))
        await pilot.pause(0.3)
        await pilot.press("l")
        assert app.screen.query_one("#loss", Plot).logarithmic
        run.path.with_name("elsewhere").rename(run.path)


async def test_triage_without_the_library_still_diagnoses(spiked: RunDirectory, away: str) -> None:
    """A database that is away costs the advice only, and the screen says so in a sentence."""
    app = SpikeloreApp(spiked, "triage", settings=Settings())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: "case library" in text(app, "#needed"))
        assert app.screen.causes.chosen.id == "strategy.lr-surge"


async def test_ruled_out_causes_say_why(spiked: RunDirectory) -> None:
    """Below the causes stand the ruled-out ones; choosing one shows what spoke against it."""
    app = SpikeloreApp(spiked, "triage", settings=Settings())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.causes.chosen)
        await pilot.press("down", "down", "down")
        await until(pilot, lambda: isinstance(app.screen.causes.chosen, NotCause))
        await until(pilot, lambda: app.screen.causes.chosen.missing[0] in text(app, "#summary"))
        assert not app.screen.query_one("#fixes").display


async def test_a_small_terminal_lists_the_causes_first(spiked: RunDirectory) -> None:
    """In 80 columns the ruled-out causes are one line until asked for; a wider window lists them again."""
    app = SpikeloreApp(spiked, "triage", settings=Settings())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.screen.causes.chosen)
        assert app.screen.causes.option_count == 4
        await pilot.press("w")
        await until(pilot, lambda: app.screen.causes.option_count == 8)
        await pilot.press("w")
        await until(pilot, lambda: app.screen.causes.option_count == 4)
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: app.screen.causes.option_count == 9)


async def test_the_chosen_fact_is_plotted(spiked: RunDirectory) -> None:
    """The plot shows the quantity behind the fact under the cursor."""
    app = SpikeloreApp(spiked, "triage", settings=Settings())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.query_one("#proof", Plot).title == "lr")
        app.screen.detail.facts.focus()
        await pilot.press("down", "down")
        await until(pilot, lambda: app.screen.query_one("#proof", Plot).title == "grad.norm")


async def test_similar_incidents_stand_side_by_side(spiked: RunDirectory) -> None:
    """This run, what the past ones were and did, fact by fact; the fix that worked can be copied."""
    with CaseLibrary.open() as library:
        samples.cases(library)
    app = SpikeloreApp(spiked, "triage", settings=Settings())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.diagnosis.similar[0].incident == "20251102-vit-surge")
        await pilot.press("s")
        await until(pilot, lambda: app.screen.query_one(DataTable).row_count)
        table = app.screen.query_one(DataTable)
        assert [str(column.label) for column in table.columns.values()][1:3] == [
            "this run",
            "20251102-vit-surge",
        ]
        rows = {key.value: [str(cell) for cell in table.get_row(key)] for key in table.rows}
        assert rows["cause"][1:3] == ["strategy.lr-surge 94 %", "strategy.lr-surge"]
        assert rows["lr.ratio"][1:3] == ["1,000", "1,000"]
        table.move_cursor(row=table.get_row_index("fix"))
        await until(pilot, lambda: "worked: Moved scheduler.step() to the epoch loop." in text(app, "#whole"))
        await pilot.press("c")
        await until(pilot, lambda: app.clipboard == "Moved scheduler.step() to the epoch loop.")


async def test_without_similar_incidents_the_key_says_so(spiked: RunDirectory, away: str) -> None:
    """Nothing to put beside this one is a sentence, not an empty screen."""
    app = SpikeloreApp(spiked, "triage", settings=Settings())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.diagnosis and app.screen.diagnosis.warnings)
        app.screen.diagnosis.similar.clear()
        await pilot.press("s")
        await until(pilot, lambda: app._notifications)
        assert type(app.screen).__name__ == "TriageScreen"


async def test_a_focused_fix_is_the_one_copied(spiked: RunDirectory) -> None:
    """With the focus on a fix, c copies that one."""
    app = SpikeloreApp(spiked, "triage", settings=Settings())
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: len(app.screen.query(FixCard)) >= 3)
        card = list(app.screen.query(FixCard))[1]
        card.focus()
        await pilot.press("c")
        await until(pilot, lambda: app.clipboard == card.fix.code)
        assert app.screen.copied == [card.fix.id]


async def test_compare_lays_runs_over_one_another(app: SpikeloreApp, several: Path) -> None:
    """Marked runs are drawn in one plot, and the table holds what differs."""
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.query_one(DataTable).row_count == 5)
        await pilot.press("space", "down", "c")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and len(app.screen.plot.lines) == 2)
        await until(pilot, lambda: app.screen.query_one(DataTable).row_count)
        count = app.screen.query_one(DataTable).row_count
        await pilot.press("e")
        await until(pilot, lambda: app.screen.query_one(DataTable).row_count > count)


async def test_comparing_one_run_says_how_to_mark(app: SpikeloreApp, spiked: RunDirectory) -> None:
    """With nothing marked, c explains what to do."""
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.query_one(DataTable).row_count == 1)
        await pilot.press("c")
        await until(pilot, lambda: any("space" in note.message for note in app._notifications))


async def test_the_rules_screen_shows_a_rule_with_its_conditions(app: SpikeloreApp) -> None:
    """Filtered by a fact, the rule that uses it is previewed with the condition."""
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: app.screen.base)
        await pilot.press("t", "slash", *"lr.jump")
        await until(pilot, lambda: "lr.jump" in text(app, "#document"))


async def test_the_cases_screen_searches_as_one_types(app: SpikeloreApp) -> None:
    """The shipped cases are found by a word, the first one previewed; nothing found says so."""
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: app.screen.hits)
        await pilot.press(*"desync")
        await until(pilot, lambda: "environment.rank-desync" in text(app, "#left"))
        app.screen.query_one("#query", Input).value = "zzzzqqqq"
        await until(pilot, lambda: app.screen.has_class("-empty"))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.hits)


async def test_two_cases_side_by_side(app: SpikeloreApp) -> None:
    """A marked case stays beside the one under the cursor."""
    async with app.run_test(size=(160, 40)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: len(app.screen.hits) > 1)
        await pilot.press("down", "space", "down")
        await until(pilot, lambda: app.screen.has_class("-two"))
        assert text(app, "#left") != text(app, "#right")


async def test_an_away_database_is_a_sentence_in_the_cases(app: SpikeloreApp, away: str) -> None:
    """A database that cannot be opened is told as a sentence, and the screen stays."""
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: any(away in note.message for note in app._notifications))
        assert app.current_mode == "cases"


@pytest.fixture
def torch_process() -> Iterator[subprocess.Popen[str]]:
    """A process with torch loaded that does nothing else."""
    code = "import time, torch; print('ready', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def test_attach_lists_training_processes(
    app: SpikeloreApp, torch_process: subprocess.Popen[str]
) -> None:
    """A process with torch is listed; opening one that is not recorded says how to attach."""
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("4")
        await until(pilot, lambda: str(torch_process.pid) in app.screen.processes)
        table = app.screen.table
        table.move_cursor(row=table.get_row_index(str(torch_process.pid)))
        await pilot.press("enter")
        await until(pilot, lambda: any("Press a" in note.message for note in app._notifications))


async def test_settings_are_kept(app: SpikeloreApp) -> None:
    """Saved settings are read back, and the theme changes at once."""
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("5")
        await until(pilot, lambda: app.screen.query_one("#author", Input))
        app.screen.query_one("#theme", Select).value = "spikelore-light"
        app.screen.query_one("#author", Input).value = "Grace"
        await until(pilot, lambda: app.theme == "spikelore-light")
        await pilot.press("ctrl+s")
        await pilot.pause()
    assert settings.load() == Settings(theme="spikelore-light", author="Grace")


async def test_keys_can_be_remapped(spiked: RunDirectory) -> None:
    """The keymap of the settings changes a key by the binding's id."""
    app = SpikeloreApp(spiked, "live", settings=Settings(keymap={"live.alarm": "f5"}))
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.alarm is not None)
        await pilot.press("f5")
        assert app.screen.view is not None


@pytest.mark.parametrize("key", list("12345"))
async def test_f1_explains_every_place(app: SpikeloreApp, key: str) -> None:
    """F1 shows the screen's text and its keys; escape closes it."""
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press(key)
        await pilot.pause()
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        assert "Every action" in text(app, "#keys")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, HelpScreen))


def listed(options: OptionList) -> str:
    """Return what a list offers, one entry after another."""
    return "\n".join(str(option.prompt) for option in options.options)


async def test_every_action_is_in_the_palette(spiked: RunDirectory) -> None:
    """Typing an action's name into the palette and enter runs it."""
    app = live_app(spiked)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment and app.screen.alarm is not None)
        live = app.screen
        await pilot.press("ctrl+p")
        await until(pilot, lambda: isinstance(app.screen, CommandPalette))
        wanted = {one.binding.description for one in live.active_bindings.values() if one.binding.id}
        offered = app.screen.query_one(OptionList)
        await until(pilot, lambda: all(name in listed(offered) for name in wanted - {"Commands"}))
        assert "Zoom alarm  a" in listed(offered)
        assert "Theme" in listed(offered)
        await pilot.press(*"zoom alarm")
        await until(pilot, lambda: "Zoom alarm" in listed(offered).splitlines()[0])
        await pilot.press("enter")
        await until(pilot, lambda: live.view is not None)


async def test_the_interface_speaks_chinese(spiked: RunDirectory) -> None:
    """In Chinese the footer, the sentences and the headings are Chinese."""
    language.use("zh")
    app = live_app(spiked)
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.screen.moment)
        descriptions = {active.binding.description for active in app.screen.active_bindings.values()}
        assert {"诊断", "帮助"} <= descriptions
        assert "第 842 步" in text(app, "#banner")
