"""Resolve: what it was, what was tried, what came of it; the next one to see this spike will find it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Label, Select, Static, TextArea

from ...probes.evidence import RunDirectory
from ...rules.diagnosis import Cause, Diagnosis, Fix
from .. import incidents, wording
from ..language import tr
from ..settings import author
from ..widgets.outcomes import FixOutcomes
from .base import BaseScreen


class ResolveScreen(BaseScreen):
    """The form that closes an incident, filled in as far as the diagnosis knows.

    Args:
        run: the run.
        diagnosis: its diagnosis.
        cause: id of the cause to confirm.
        tried: ids of the fixes that were copied, which are taken as tried.
    """

    CSS_PATH = "resolve.tcss"
    BINDING_GROUP_TITLE = "Resolve"
    AUTO_FOCUS = "#outcomes"
    HELP = """
Confirm the cause, say which fixes were tried and what came of them. Saved incidents are found by
search and give the next diagnosis its "worked 3 of 4". A fix that you copied is taken as tried.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, id="resolve.save", tooltip="Resolve the incident"),
    ]
    outcomes = getters.query_one(FixOutcomes)

    @dataclass
    class Saved(Message):
        """The incident is resolved."""

        incident: str

    def __init__(self, run: RunDirectory, diagnosis: Diagnosis, cause: str | None, tried: list[str]) -> None:
        super().__init__()
        self.run = run
        self.diagnosis = diagnosis
        self.cause = cause or (diagnosis.causes[0].id if diagnosis.causes else "")
        self.tried = tried

    def body(self) -> Iterable[Widget]:
        """Return the form."""
        yield Static(_title(self.diagnosis), id="headline")
        with VerticalScroll(id="form", can_focus=False):
            yield Label(tr("Which fixes were tried?"), classes="heading")
            yield FixOutcomes(self._fixes(), self.tried)
            yield Label(tr("Cause"), classes="heading")
            yield Select(
                self._causes(), value=self.cause or Select.NULL, allow_blank=not self.cause, compact=True
            )
            with Horizontal(id="small"):
                yield Label(tr("Loss after the fix"))
                yield Input(placeholder=tr("optional"), type="number", id="after", compact=True)
                yield Label(tr("Resolved by"))
                yield Input(author(self.spikelore.settings), id="by", compact=True)
            yield Label(tr("Note for whoever meets this next"), classes="heading")
            yield TextArea(id="note", compact=True)
            with Horizontal(id="buttons"):
                yield Button(tr("Save"), variant="primary", id="save", compact=True)
                yield Button(tr("Cancel"), id="cancel", compact=True)

    def on_mount(self) -> None:
        """Say which run this is about."""
        super().on_mount()
        self.subject(self.diagnosis.run)

    def _fixes(self) -> list[Fix]:
        chosen = [cause for cause in self.diagnosis.causes if cause.id == self.cause]
        others = [cause for cause in self.diagnosis.causes if cause.id != self.cause]
        return [fix for cause in [*chosen, *others] for fix in cause.fixes]

    def _causes(self) -> list[tuple[str, str]]:
        names = {cause.id: wording.cause_name(cause) for cause in self.diagnosis.causes}
        for ruled_out in self.diagnosis.ruled_out:
            names.setdefault(ruled_out.id, ruled_out.title or wording.readable(ruled_out.id))
        if self.cause:
            names.setdefault(self.cause, wording.readable(self.cause))
        return [(f"{name}  ({identifier})", identifier) for identifier, name in names.items()]

    @on(Select.Changed)
    def _confirm(self, event: Select.Changed) -> None:
        if isinstance(event.value, str) and event.value != self.cause:
            self.cause = event.value
            self.outcomes.offer(self._fixes())

    @on(Button.Pressed, "#save")
    def action_save(self) -> None:
        """Resolve the incident."""
        if not self.cause:
            self.notify(tr("Choose the cause first."), severity="warning", markup=False)
            return
        if not self.query_one("#after", Input).is_valid:
            self.notify(tr("The loss after the fix is not a number."), severity="warning", markup=False)
            return
        self._save(self._resolution())

    def _resolution(self) -> incidents.Resolution:
        after = self.query_one("#after", Input).value.strip()
        texts = {fix.id: fix.text for fix in self.outcomes.fixes}
        return incidents.Resolution(
            cause=self.cause,
            outcomes={
                fix: (outcome, texts.get(fix, ""))
                for fix, outcome in self.outcomes.outcomes.items()
                if outcome
            },
            after=float(after) if after else None,
            note=self.query_one("#note", TextArea).text.strip(),
            by=self.query_one("#by", Input).value.strip(),
        )

    @work(thread=True, exclusive=True, group="save", exit_on_error=False)
    def _save(self, resolution: incidents.Resolution) -> None:
        self.post_message(self.Saved(incidents.resolve(self.run, self.diagnosis, resolution)))

    @on(Saved)
    def _leave(self, message: Saved) -> None:
        self.dismiss(message.incident)

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)


def _title(diagnosis: Diagnosis) -> Content:
    cause = next(iter(diagnosis.causes), None)
    likely = _likely(cause) if cause else Content("")
    return Content.assemble(
        (tr("Resolve"), "bold"), "  ", wording.headline(diagnosis), "\n" if cause else "", likely
    )


def _likely(cause: Cause) -> Content:
    return Content.assemble(
        (tr("Likely cause: "), "$foreground 60%"),
        (wording.cause_name(cause), "bold"),
        f" {wording.certainty(cause)}",
    )
