"""A rule held against everything on record, with progress and a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UserError
from .language import tr
from .library import opened

if TYPE_CHECKING:
    from ..casebase.backtest import BacktestReport, Disagreement
    from ..casebase.judging import Replayed
    from ..casebase.library import CaseLibrary
    from ..rules.documents import RuleDocument
    from ..rules.rulebase import RuleBase

_NAMED = 10


def run(
    rule: RuleDocument,
    base: RuleBase,
    runs: Path | None,
    workers: int | None,
    cluster: str | None,
    *,
    quiet: bool,
) -> BacktestReport:
    """Replay a rule and return the report; a counter on standard error shows how far it is."""
    from rich.console import Console

    from ..casebase.backtest import backtest

    with opened() as library, Console(stderr=True, quiet=quiet).status("") as status:
        return backtest(
            rule,
            base,
            _records(library, runs),
            workers=workers,
            cluster=cluster,
            progress=lambda done: status.update(tr("{n} records", n=f"{done:,}")),
        )


def _records(library: CaseLibrary, runs: Path | None) -> Iterator[Replayed]:
    from ..casebase.backtest import records
    from ..casebase.replaying import folder_records

    if runs is None:
        return records(library)
    if not runs.is_dir():
        raise UserError(f"{runs}: no such folder; valid is one that holds run directories")
    return folder_records(runs, library)


def show(report: BacktestReport) -> None:
    """Print a report as sentences, disagreements last."""
    from .console import console

    for line in lines(report):
        console().print(line, highlight=False, markup=False)


def lines(report: BacktestReport) -> Iterator[str]:
    """Yield a report as sentences, disagreements last."""
    yield tr("{rule} would have fired on", rule=report.rule)
    for text, fired, of, unknown in (
        ("  {fired} of {of} incidents of its cause", report.own_fired, report.own, report.own_unknown),
        (
            "  {fired} of {of} incidents of other causes",
            report.other_fired,
            report.other,
            report.other_unknown,
        ),
        (
            "  {fired} of {of} incidents whose cause nobody confirmed",
            report.open_fired,
            report.open,
            report.open_unknown,
        ),
        (
            "  {fired} of {of} windows of healthy runs",
            report.healthy_fired,
            report.healthy,
            report.healthy_unknown,
        ),
    ):
        lacking = tr("; {n} lack facts that it asks for", n=f"{unknown:,}") if unknown else ""
        yield tr(text, fired=f"{fired:,}", of=f"{of:,}") + lacking
    if not report.records:
        yield tr("Nothing is on record yet: watched runs fill the library, spikelore run -- python train.py")
    for each in report.disagreements[:_NAMED]:
        yield "  " + _sentence(each)
    more = len(report.disagreements) - _NAMED
    if more > 0:
        yield "  " + tr("and {more} more; --json names up to 200", more=more)


def _sentence(each: Disagreement) -> str:
    if each.kind == "healthy":
        return tr("fired on {id}, which was healthy", id=each.id)
    if each.fired:
        return tr("fired on {id}, which was {cause}", id=each.id, cause=each.cause)
    return tr("silent on {id}, which was {cause}", id=each.id, cause=each.cause)
