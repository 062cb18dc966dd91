"""A diagnosis as rich text, for terminals without the application and for log files."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from ...rules.diagnosis import Because, Cause, Diagnosis, Fix, NotCause, Similar
from .. import wording
from ..language import tr
from ..numbers import percent

RULED_OUT = 5
"""Causes named under "why not"; the rest is counted."""

_VERDICT_STYLE = {"spike": "bold red", "pattern": "bold yellow", "healthy": "bold green"}
_BAR = 20


def render(diagnosis: Diagnosis) -> RenderableType:
    """Return the whole report."""
    return Group(*_parts(diagnosis))


def _parts(diagnosis: Diagnosis) -> Iterator[RenderableType]:
    yield _title(diagnosis)
    yield Text(wording.headline(diagnosis))
    if diagnosis.verdict == "spike" and diagnosis.spike and diagnosis.reason:
        # For any other verdict the reason is the headline.
        yield Text(diagnosis.reason, style="dim")
    for moved in diagnosis.precursors:
        yield Text(f"△ {moved.text}")
    if diagnosis.causes:
        yield from _section(tr("Causes"), _ranking(diagnosis.causes))
        yield from _cause(diagnosis.causes[0])
    elif diagnosis.verdict == "spike":
        yield from _section(tr("Causes"), Text(tr("No rule was satisfied by the evidence.")))
    if diagnosis.similar:
        yield from _section(tr("Similar incidents"), _similar(diagnosis.similar))
    if diagnosis.ruled_out and diagnosis.verdict == "spike":
        yield from _section(tr("Why not another cause"), _ruled_out(diagnosis.ruled_out))
    if diagnosis.needed:
        yield from _section(tr("Would decide"), _list(diagnosis.needed))
    if diagnosis.warnings:
        yield from _section(tr("Gaps in the recording"), _list(diagnosis.warnings))


def _title(diagnosis: Diagnosis) -> Text:
    verdict = tr(wording.VERDICTS[diagnosis.verdict])
    line = Text(verdict, style=_VERDICT_STYLE.get(diagnosis.verdict, "bold"))
    if diagnosis.pattern:
        line.append(f"  {wording.readable(diagnosis.pattern)}", style="bold")
    return line.append(f"  {diagnosis.run}", style="dim")


def _section(title: str, body: RenderableType) -> Iterator[RenderableType]:
    yield Text()
    yield Text(title, style="bold")
    yield Padding(body, (0, 0, 0, 2))


def _grid(*widths: int | None) -> Table:
    table = Table.grid(padding=(0, 2))
    for width in widths:
        table.add_column(width=width, no_wrap=width is not None)
    return table


def _ranking(causes: list[Cause]) -> Table:
    table = _grid(_BAR, 5, None, None)
    for cause in causes:
        role = tr("contributing") if cause.role == "contributing" else ""
        tied = tr("or {causes}", causes=", ".join(cause.tied)) if cause.tied else ""
        table.add_row(
            bar(cause.certainty),
            Text(percent(cause.certainty), justify="right"),
            Text(wording.cause_name(cause), style="bold" if cause is causes[0] else ""),
            Text("  ".join(filter(None, (cause.id, role, tied))), style="dim"),
        )
    return table


def bar(share: float) -> Text:
    """Return a certainty bar of fixed width."""
    filled = round(share * _BAR)
    style = "red" if share >= 0.75 else "yellow" if share >= 0.4 else "blue"
    return Text("━" * filled, style=style).append("·" * (_BAR - filled), style="bright_black")


def _cause(cause: Cause) -> Iterator[RenderableType]:
    if cause.summary:
        yield Text()
        yield Padding(Text(cause.summary), (0, 0, 0, 2))
    if cause.because:
        yield from _section(
            tr("Evidence for {cause}", cause=wording.cause_name(cause)), _evidence(cause.because)
        )
    for moment, title in (("now", tr("Fix now")), ("for-good", tr("Fix for good"))):
        fixes = [fix for fix in cause.fixes if fix.when == moment]
        if fixes:
            yield from _section(title, Group(*(part for fix in fixes for part in _fix(fix))))


def _evidence(because: list[Because]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("Fact", "Value", "Condition", "Steps", "Meaning"):
        table.add_column(tr(name), justify="right" if name == "Value" else "left", no_wrap=name != "Meaning")
    for fact in because:
        table.add_row(
            Text(fact.fact, style="cyan"),
            Text(wording.measured(fact), style="bold"),
            Text(wording.demanded(fact)),
            Text(wording.window(fact), style="dim"),
            Text(fact.meaning, style="dim"),
        )
    return table


def _fix(fix: Fix) -> Iterator[RenderableType]:
    line = Text(f"{fix.text} ")
    yield line.append(f"({wording.record(fix)})", style="green" if fix.worked else "dim")
    if fix.code:
        code = Syntax(fix.code, "python", theme="ansi_dark", background_color="default", word_wrap=True)
        yield Padding(code, (0, 0, 0, 4))


def _similar(similar: list[Similar]) -> Table:
    table = _grid(6, None, None, None)
    for past in similar:
        outcome = (
            f"{past.fix}: {tr(past.outcome or 'outcome unknown')}" if past.fix else tr("no fix recorded")
        )
        table.add_row(
            Text(percent(past.score), justify="right"),
            Text(past.incident, style="cyan"),
            Text(past.cause),
            Text(outcome, style="dim"),
        )
    return table


def _ruled_out(ruled_out: list[NotCause]) -> Table:
    table = Table(box=box.SIMPLE, show_header=False, show_edge=False, padding=(0, 2, 0, 0))
    for cause in ruled_out[:RULED_OUT]:
        table.add_row(
            Text(cause.title or wording.readable(cause.id)), Text("; ".join(cause.missing[:2]), style="dim")
        )
    if len(ruled_out) > RULED_OUT:
        table.add_row(Text(tr("and {n} more", n=len(ruled_out) - RULED_OUT), style="dim"), Text())
    return table


def _list(sentences: list[str]) -> Group:
    return Group(*(Text(f"• {sentence}") for sentence in sentences))
