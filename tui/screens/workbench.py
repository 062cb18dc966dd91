"""Workbench: a rule is written, checked by line, tried on its cases and on all that is on record, saved."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import OptionList, Static, TextArea
from textual.widgets.option_list import Option

from ...rules.documents import Problem, RuleDocument
from ...rules.editing import Examined, examine
from ...rules.rulebase import team_directory
from ...rules.rulebase.loading import FileCache, stamp_of
from .. import backtesting
from ..language import tr
from ..library import opened
from .base import BaseScreen
from .confirm import Confirm

_PAUSE = 0.25
"""Seconds of quiet after a key before the text is examined."""


class RuleText(TextArea):
    """The text, with the lines underlined that a problem names."""

    bad: frozenset[int] = frozenset()
    """Lines from 0."""

    def get_line(self, line_index: int) -> Text:
        """Return a line as it is drawn."""
        line = super().get_line(line_index)
        if line_index in self.bad:
            line.stylize("underline red")
        return line

    def mark(self, lines: Iterable[int]) -> None:
        """Underline these lines and no others."""
        marked = frozenset(lines)
        if marked != self.bad:
            self.bad = marked
            self._line_cache.clear()
            self.refresh()


class WorkbenchScreen(BaseScreen):
    """Editor of one rule.

    Args:
        text: of the rule to begin with.
        origin: file that it came from; None for a new one.
    """

    PLACE = "rules"
    CSS_PATH = "workbench.tcss"
    BINDING_GROUP_TITLE = "Workbench"
    AUTO_FOCUS = "RuleText"
    HELP = """
What you type is checked at once; a line that is wrong is underlined, and enter on a problem leads to it.
Try the rule on its own cases, then on every incident and healthy run of the library, and save it into the
team's directory: it is in force from then on. A shipped rule is saved as a copy that wins over it.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the editor, which takes escape for itself.
        Binding(
            "escape", "back", "Back", priority=True, id="screen.back", tooltip="Go back to the screen before"
        ),
        Binding("ctrl+s", "save", "Save", priority=True, id="workbench.save", tooltip="Save the rule"),
        Binding("ctrl+t", "test", "Test", priority=True, id="workbench.test", tooltip="Run the rule's cases"),
        Binding(
            "ctrl+b", "backtest", "Backtest", priority=True, id="workbench.backtest",
            tooltip="Replay the rule on everything on record",
        ),
        Binding("f2", "result", "Result", id="workbench.result", tooltip="More room for the result, or less"),
    ]  # fmt: skip
    editor = getters.query_one(RuleText)
    found = getters.query_one("#found", OptionList)
    told = getters.query_one("#told", VerticalScroll)
    result = getters.query_one("#result", Static)

    @dataclass
    class Checked(Message):
        """A text has been examined."""

        text: str
        examined: Examined

    @dataclass
    class Said(Message):
        """Something came of a test or a backtest."""

        lines: Content
        done: bool = True

    def __init__(self, text: str, origin: Path | None = None) -> None:
        super().__init__()
        self._saved, self._origin = text, origin
        self._stamp = stamp_of(origin) if origin else None
        self._cache, self._lock = FileCache(), threading.Lock()
        self._examined: tuple[str, Examined] | None = None
        self._timer: Timer | None = None
        self._stop = threading.Event()
        self._replaying = False

    def body(self) -> Iterable[Widget]:
        """Return the editor, its problems and what came of the tests."""
        yield RuleText(self._saved, show_line_numbers=True, compact=True, tab_behavior="indent")
        yield OptionList(id="found", compact=True)
        with VerticalScroll(id="told"):
            yield Static(tr("Checking …"), id="result")

    def on_mount(self) -> None:
        """Examine the text."""
        super().on_mount()
        self.subject(self._origin.stem if self._origin else tr("new rule"))
        self._examine(self._saved)

    # -- checks -------------------------------------------------------------------------------------------

    @on(TextArea.Changed)
    def _changed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_PAUSE, lambda: self._examine(self.editor.text))

    @work(thread=True, exclusive=True, group="examine", exit_on_error=False)
    def _examine(self, text: str) -> None:
        with self._lock:
            examined = examine(text, self._cache, tuple(map(Path, self.spikelore.settings.rules)))
        self.post_message(self.Checked(text, examined))

    @on(Checked)
    def _take(self, message: Checked) -> None:
        if message.text != self.editor.text:
            return
        self._examined = message.text, message.examined
        problems = message.examined.problems
        self.editor.mark(p.line - 1 for p in problems if p.line)
        self.found.set_options([Option(_told(problem), str(n)) for n, problem in enumerate(problems)])
        self.found.display = bool(problems)
        if not problems:
            self._tell(Content.styled(tr("Sound. ctrl+t runs its cases, ctrl+s saves it."), "$text-success"))
        else:
            self._tell(Content(tr("{n} to put right; enter leads to the line.", n=len(problems))))

    @on(OptionList.OptionSelected)
    def _go_to_problem(self, event: OptionList.OptionSelected) -> None:
        if self._examined is not None:
            line = self._examined[1].problems[event.option_index].line or 1
            self.editor.move_cursor((line - 1, 0))
            self.editor.focus()

    # -- tests ----------------------------------------------------------------------------------------------

    def _sound(self) -> tuple[Examined, RuleDocument] | None:
        """Return the text's examination and its rule when that is sound; else say what to do first."""
        if self._examined is None or self._examined[0] != self.editor.text:
            self.notify(tr("Still checking; once more in a moment."), markup=False)
            return None
        examined = self._examined[1]
        if examined.rule is None:
            self.notify(tr("Put the problems right first."), severity="warning", markup=False)
            return None
        return examined, examined.rule

    def action_test(self) -> None:
        """Run the cases that the rule carries."""
        if (sound := self._sound()) is not None:
            self._test(*sound)

    @work(thread=True, exclusive=True, group="try", exit_on_error=False)
    def _test(self, examined: Examined, rule: RuleDocument) -> None:
        from ...rules.cases import run_cases

        lines = []
        for case in run_cases(examined.base, rule.id):
            sign, colour = ("✓", "$text-success") if case.passed else ("✗", "$text-error")
            lines.append(
                Content.assemble((f"{sign} ", colour), case.name, (f"  {case.problem}", "$text-error"))
            )
        self.post_message(self.Said(Content("\n").join(lines or [Content(tr("The rule has no cases."))])))

    def action_backtest(self) -> None:
        """Replay the rule on every incident and healthy run of the library."""
        if (sound := self._sound()) is not None:
            self._stop.clear()
            self._replaying = True
            self._backtest(*sound)

    @work(thread=True, exclusive=True, group="try", exit_on_error=False)
    def _backtest(self, examined: Examined, rule: RuleDocument) -> None:
        from ...casebase.backtest import Cancelled, backtest, records

        def progress(done: int) -> None:
            if self._stop.is_set():
                raise Cancelled
            text = tr("{n} records", n=f"{done:,}") + "   " + tr("escape stops")
            self.post_message(self.Said(Content(text), done=False))

        try:
            with opened() as library:
                report = backtest(rule, examined.base, records(library), progress=progress)
        finally:
            self._replaying = False
        lines = [Content(line) for line in backtesting.lines(report)]
        if report.cancelled:
            lines.append(Content(tr("Stopped before the end.")))
        self.post_message(self.Said(Content("\n").join(lines)))

    @on(Said)
    def _say(self, message: Said) -> None:
        self._tell(message.lines)

    def _tell(self, lines: Content) -> None:
        self.result.update(lines)

    # -- saving and leaving ---------------------------------------------------------------------------------

    @work
    async def action_save(self) -> None:
        """Save the rule into the team's directory."""
        sound = self._sound()
        if sound is None:
            return
        path = team_directory().expanduser() / sound[0].name
        question = self._in_the_way(path)
        if question and not await self.app.push_screen_wait(Confirm(question, tr("Replace"))):
            return
        from ..rule_writing import save

        save(path, self.editor.text)
        self._saved, self._origin, self._stamp = self.editor.text, path, stamp_of(path)
        self.notify(str(path), title=tr("Saved, and in force"), markup=False)

    def _in_the_way(self, path: Path) -> str | None:
        """Return what to ask before a file is written over, None when nobody else's words are lost."""
        if not path.exists():
            return None
        if path != self._origin:
            return tr("{path} is there already. Replace it?", path=path)
        if stamp_of(path) != self._stamp:
            return tr("{path} was changed on disk since it was opened here. Replace it?", path=path)
        return None

    def action_result(self) -> None:
        """Give what came of the tests most of the screen and the keys, or give both back to the text."""
        tall = not self.told.has_class("-tall")
        self.told.set_class(tall, "-tall")
        (self.told if tall else self.editor).focus()

    def action_back(self) -> None:
        """Stop what runs, or leave; unsaved text is asked about."""
        if self._replaying:
            self._stop.set()
        else:
            self._leave()

    @work
    async def _leave(self) -> None:
        if self.editor.text != self._saved:
            question = tr("The rule is not saved. Leave without it?")
            if not await self.app.push_screen_wait(Confirm(question, tr("Leave"))):
                return
        self._stop.set()
        self.dismiss()


def _told(problem: Problem) -> Content:
    place = f"{problem.line or ''} {problem.where}".strip()
    valid = f"; {problem.valid}" if problem.valid else ""
    return Content.assemble((place, "$foreground 60%"), "  " if place else "", problem.problem + valid)
