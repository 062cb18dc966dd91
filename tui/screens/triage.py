"""Triage: what happened, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from ...probes.evidence import RunDirectory
from ...rules.diagnosis import Cause, Diagnosis, Fix
from .. import diagnosing, incidents, language
from ..language import tr
from ..runs import named
from ..widgets.causes import CauseList
from ..widgets.fixes import FixCard
from . import SCREENS, triage_text
from .base import BaseScreen
from .triage_detail import CauseDetail

REFRESH = 1.0
"""Seconds between two looks at the diagnosis of a live run."""


class TriageScreen(BaseScreen):
    """The diagnosis of one run."""

    CSS_PATH = "triage.tcss"
    BINDING_GROUP_TITLE = "Triage"
    HELP = """
Causes stand by certainty, the ruled-out ones below them with what spoke against each. For the cause
under the cursor you see its evidence (the chosen fact is plotted), its fixes for now and for good, and
how they did in past incidents. `c` copies the best fix, or the one that has the focus.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy fix", id="triage.copy", tooltip="Copy the fix to the clipboard"),
        Binding("r", "resolve", "Resolve", id="triage.resolve", tooltip="Say what it was and what helped"),
        Binding(
            "w", "why_not", "Why not", id="triage.why-not", tooltip="List every cause that was ruled out"
        ),
        Binding(
            "s",
            "similar",
            "Similar",
            id="triage.similar",
            tooltip="This incident beside the past ones like it",
        ),
        Binding("l", "live", "Curves", id="triage.live", tooltip="Show the run's curves"),
        Binding("h", "report", "Report", id="triage.report", tooltip="Write a page with plots to share"),
        Binding("u", "undo", "Take back", id="triage.undo", tooltip="Open the incident again"),
        Binding("ctrl+r", "again", "Again", show=False, id="triage.again", tooltip="Diagnose once more"),
    ]
    causes = getters.query_one(CauseList)
    detail = getters.query_one(CauseDetail)

    @dataclass
    class Diagnosed(Message):
        """The diagnosis, fresh or with fresh advice."""

        diagnosis: Diagnosis

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self.run = run
        self.diagnosis: Diagnosis | None = None
        self.copied: list[str] = []
        self.incident: str | None = None
        self._stamp = 0

    def body(self) -> Iterable[Widget]:
        """Return the sentence, the causes and the detail."""
        yield Static(tr("Reading the evidence …"), id="headline")
        with Horizontal(id="halves"):
            with Vertical(id="suspects"):
                yield CauseList()
                yield Static(id="needed")
                yield Static(id="like")
            with VerticalScroll(id="detail", can_focus=False):
                yield CauseDetail(self.run)

    def on_mount(self) -> None:
        """Show what the watcher found, then ask for the latest."""
        super().on_mount()
        self.subject(named(self.run))
        found = diagnosing.written(self.run)
        if found is not None and found.lang == language.current():
            self._show(found)
            self.ask(found)
        else:
            self.ask(None)
        self._stamp = diagnosing.stamp(self.run)
        self.set_interval(REFRESH, self._look)

    def _look(self) -> None:
        """Follow the watcher of a live run: its diagnosis grows with the evidence."""
        if (stamp := diagnosing.stamp(self.run)) != self._stamp:
            self._stamp = stamp
            found = diagnosing.written(self.run)
            if found is not None and found.lang == language.current():
                self.ask(found)

    @work(thread=True, exclusive=True, group="diagnose", exit_on_error=False)
    def ask(self, found: Diagnosis | None) -> None:
        """Diagnose, or only ask the library what worked before."""
        if found:
            fresh = diagnosing.advised(self.run, found)
        else:
            fresh = diagnosing.diagnose(self.run, language.current())
        self.post_message(self.Diagnosed(fresh))

    @on(Diagnosed)
    def _take(self, message: Diagnosed) -> None:
        self._show(message.diagnosis)

    def _show(self, diagnosis: Diagnosis) -> None:
        self.diagnosis = diagnosis
        self.set_class(not diagnosis.causes and not diagnosis.ruled_out, "-no-causes")
        self.query_one("#headline", Static).update(triage_text.headline(diagnosis))
        self.query_one("#headline").set_class(diagnosis.verdict == "spike", "-spike")
        gaps = triage_text.gaps(diagnosis)
        self.query_one("#needed", Static).update(gaps)
        self.query_one("#needed").display = bool(gaps)
        self.query_one("#like", Static).update(triage_text.like(diagnosis))
        self.causes.show(diagnosis)
        if self.focused is None:
            self.causes.focus()

    def on_resize(self) -> None:
        """List as many ruled-out causes as fit."""
        self.causes.refit()

    @on(CauseList.Chosen)
    async def _choose(self, message: CauseList.Chosen) -> None:
        if self.diagnosis:
            await self.detail.show(message.cause, self.diagnosis)
            self.query_one("#detail", VerticalScroll).scroll_home(animate=False)

    @on(FixCard.Copied)
    def _copy_card(self, message: FixCard.Copied) -> None:
        self._copy(message.fix)

    def action_copy(self) -> None:
        """Copy the fix with the focus, else the chosen cause's best one."""
        if isinstance(self.focused, FixCard):
            self._copy(self.focused.fix)
            return
        fix = self._best_fix()
        if fix is None:
            self.notify(tr("There is no fix to copy for this cause."), markup=False)
            return
        self._copy(fix)

    def _best_fix(self) -> Fix | None:
        chosen = self.causes.chosen
        fixes = chosen.fixes if isinstance(chosen, Cause) else []
        with_code = [fix for fix in fixes if fix.code]
        return next(iter(with_code or fixes), None)

    def _copy(self, fix: Fix) -> None:
        self.app.copy_to_clipboard(fix.code or fix.text)
        if fix.id not in self.copied:
            self.copied.append(fix.id)
        self.notify(fix.code or fix.text, title=tr("Copied"), markup=False, timeout=4)

    def action_resolve(self) -> None:
        """Open the form that closes the incident."""
        if self.diagnosis is None or self.diagnosis.verdict in ("healthy", "insufficient"):
            self.notify(tr("There is no incident in this run to resolve."), markup=False)
            return
        chosen = self.causes.chosen
        subjects = (self.run, self.diagnosis, chosen.id if chosen else None, list(self.copied))
        self.app.push_screen(SCREENS["resolve"](*subjects), self._resolved)

    def _resolved(self, incident: str | None) -> None:
        if incident:
            self.incident = incident
            self.refresh_bindings()
            title = tr("Resolved")
            text = tr("{incident} is in the library. Press u to take it back.", incident=incident)
            self.notify(text, title=title, markup=False, timeout=8)
            self.ask(self.diagnosis)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to take back only what was resolved here."""
        return self.incident is not None if action == "undo" else super().check_action(action, parameters)

    def action_undo(self) -> None:
        """Take back the resolving."""
        if self.incident:
            self._undo(self.incident)
            self.incident = None
            self.refresh_bindings()

    @work(thread=True, exclusive=True, group="undo", exit_on_error=False)
    def _undo(self, incident: str) -> None:
        incidents.take_back(incident)
        self.app.call_from_thread(
            self.notify, tr("{incident} is open again.", incident=incident), markup=False
        )

    def action_why_not(self) -> None:
        """List every cause that was ruled out, or only the nearest."""
        self.causes.show_all()

    def action_similar(self) -> None:
        """Show this incident beside the similar ones."""
        if self.diagnosis is None or not self.diagnosis.similar:
            self.notify(tr("No past incident is like this one yet."), markup=False)
            return
        self.open("similar", self.diagnosis)

    def action_live(self) -> None:
        """Show the curves: go back to them where they were left."""
        stack = self.app.screen_stack
        if len(stack) > 1 and type(stack[-2]).__name__ == "LiveScreen":
            self.app.pop_screen()
        else:
            self.open("live", self.run)

    def action_report(self) -> None:
        """Write the report page beside the run."""
        if self.diagnosis:
            self._write_report(self.diagnosis)

    @work(thread=True, exclusive=True, group="report", exit_on_error=False)
    def _write_report(self, diagnosis: Diagnosis) -> None:
        from ..report.page import write_page

        path = write_page(self.run, diagnosis, self.run.path / "report.html")
        self.app.call_from_thread(self.notify, tr("Written to {path}", path=path), markup=False)

    def action_again(self) -> None:
        """Diagnose all evidence written so far."""
        self.query_one("#headline", Static).update(tr("Reading the evidence …"))
        self.ask(None)
