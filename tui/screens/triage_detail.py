"""Everything known of the cause under the cursor."""

from __future__ import annotations

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import DataTable, Static

from ...probes.evidence import RunDirectory
from ...rules.diagnosis import Cause, Diagnosis, NotCause, Similar
from .. import wording
from ..curves import Curve, curve_of_fact
from ..language import tr
from ..numbers import percent
from ..widgets.facts import FactTable, meaning
from ..widgets.fixes import FixCard
from ..widgets.plot import Plot

DIM = "$foreground 60%"


class CauseDetail(Vertical):
    """Title, evidence with its plot, fixes, and incidents like it."""

    DEFAULT_CSS = """
    CauseDetail {
        height: auto;
        & Plot { height: 9; margin-top: 1; }
        & #summary { margin-bottom: 1; }
        & #fixes { height: auto; margin-top: 1; }
    }
    """
    facts = getters.query_one(FactTable)
    plot = getters.query_one(Plot)

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self.run = run
        self._spike_step: int | None = None
        self._shown: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """Compose the parts, all of them empty."""
        yield Static(id="summary")
        yield FactTable()
        yield Static(id="meaning")
        yield Plot("", "proof")
        yield Vertical(id="fixes")
        yield Static(id="similar")

    def on_resize(self) -> None:
        """Where little fits, what to do comes before what proves it."""
        first, second = self.query_one("#fixes"), self.query_one(FactTable)
        if self.screen.has_class("-narrow"):
            self.move_child(first, before=second)
        else:
            self.move_child(first, after=self.plot)

    async def show(self, cause: Cause | NotCause, diagnosis: Diagnosis) -> None:
        """Show a cause, or why it was ruled out."""
        if (cause, diagnosis.similar) == self._shown:
            return
        self._shown = (cause, diagnosis.similar)
        self._spike_step = diagnosis.spike.step if diagnosis.spike else None
        suspected = isinstance(cause, Cause)
        for part in (self.facts, self.plot, *self.query("#fixes, #similar, #meaning")):
            part.display = suspected
        if isinstance(cause, NotCause):
            self.query_one("#summary", Static).update(_why_not(cause))
            return
        self.query_one("#summary", Static).update(_summary(cause))
        self.facts.show(cause.because, self.size.width)
        self.query_one("#similar", Static).update(_similar(diagnosis.similar))
        fixes = self.query_one("#fixes")
        await fixes.remove_children()
        await fixes.mount_all(FixCard(fix) for fix in cause.fixes)

    @on(DataTable.RowHighlighted)
    def _choose_fact(self) -> None:
        if fact := self.facts.chosen:
            self.query_one("#meaning", Static).update(Content.styled(meaning(fact), DIM))
            self._load(fact.fact)

    @work(thread=True, exclusive=True, group="curve", exit_on_error=False)
    def _load(self, fact: str) -> None:
        curve = curve_of_fact(self.run, fact)
        self.app.call_from_thread(self._draw, curve)

    def _draw(self, curve: Curve | None) -> None:
        self.plot.display = curve is not None and isinstance(self._shown[0], Cause)
        if curve is not None:
            self.plot.title = curve.name
            self.plot.alarm = None if self._spike_step is None else float(self._spike_step)
            self.plot.view = curve.around(self._spike_step)
            self.plot.show([curve.line()])


def _summary(cause: Cause) -> Content:
    role = f"  {tr('contributing')}" if cause.role == "contributing" else ""
    parts = [Content.assemble((wording.cause_name(cause), "bold"), ("  " + cause.id + role, DIM))]
    if cause.summary:
        parts.append(Content(cause.summary))
    if cause.tied:
        parts.append(
            Content.styled(tr("The evidence fits as well: {causes}", causes=", ".join(cause.tied)), DIM)
        )
    if cause.rules:
        parts.append(Content.styled(tr("Rules that fired: {rules}", rules=", ".join(cause.rules)), DIM))
    return Content("\n").join(parts)


def _why_not(cause: NotCause) -> Content:
    title = Content.assemble((cause.title or wording.readable(cause.id), "bold"), ("  " + cause.id, DIM))
    reasons = [Content(f"✗ {reason}") for reason in cause.missing] or [Content(tr("No rule spoke for it."))]
    return Content("\n").join([title, Content.styled(tr("Ruled out because"), DIM), *reasons])


def _similar(similar: list[Similar]) -> Content:
    if not similar:
        return Content.styled(tr("No past incident is like this one yet."), DIM)
    lines = [Content.styled(tr("Similar incidents"), DIM)]
    for past in similar:
        outcome = f"{past.fix} {tr(past.outcome or 'outcome unknown')}" if past.fix else tr("no fix recorded")
        lines.append(
            Content.assemble(
                (f"{percent(past.score):>5}  ", "bold"),
                (past.incident, "$primary"),
                f"  {past.cause}  ",
                (outcome, DIM),
            )
        )
        if past.agree:
            lines.append(Content.styled(tr("       agree: {facts}", facts=", ".join(past.agree)), DIM))
        if past.differ:
            lines.append(Content.styled(tr("       differ: {facts}", facts=", ".join(past.differ)), DIM))
    return Content("\n").join(lines)
