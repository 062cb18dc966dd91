"""A rule held against everything on record, with progress and a table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UserError
from .library import opened

if TYPE_CHECKING:
    from ..casebase.backtest import BacktestReport
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
            progress=lambda done: status.update(f"{done:,} records"),
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

    out = console()
    out.print(f"[b]{report.rule}[/b] would have fired on")
    out.print(f"  {report.own_fired:,} of {report.own:,} incidents of its cause")
    out.print(f"  {report.other_fired:,} of {report.other:,} incidents of other causes")
    out.print(f"  {report.open_fired:,} of {report.open:,} incidents whose cause nobody confirmed")
    out.print(f"  {report.healthy_fired:,} of {report.healthy:,} windows of healthy runs")
    if not report.records:
        out.print("Nothing is on record yet: watched runs fill the library, spikelore run -- python train.py")
    for each in report.disagreements[:_NAMED]:
        what = "fired" if each.fired else "silent"
        out.print(
            f"  {what} on {each.id}" + (f", which was {each.cause}" if each.cause else ", which was healthy")
        )
    more = len(report.disagreements) - _NAMED
    if more > 0:
        out.print(f"  and {more} more; --json names up to 200")
