"""The case library in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .case_options import AsJson
from .console import emit_json, print_table
from .language import tr
from .library import opened
from .numbers import duration, percent

if TYPE_CHECKING:
    from ..casebase.values import Statistics

_MOST_ROWS = 15


def stats(as_json: AsJson = False) -> None:
    """Show the library in figures: top causes, what works, what comes back."""
    with opened() as library:
        found = library.statistics()
    if as_json:
        emit_json(found)
        return
    counts = {"n": found.incidents, "open": found.open, "resolved": found.resolved}
    own = f"; {tr('{n} came with spikelore', n=found.starter)}" if found.starter else ""
    print(tr("{n} incidents: {open} open, {resolved} resolved", **counts) + own)
    if found.median_resolution is not None:
        print(tr("half are resolved within {time}", time=duration(found.median_resolution)))
    if found.confirmed:
        share = percent(found.confirmed_right / found.confirmed)
        print(tr("the first cause named was right in {share} of {n}", share=share, n=found.confirmed))
    _print_tables(found)


def _print_tables(found: Statistics) -> None:
    causes = [[row.cause, str(row.incidents), str(row.resolved)] for row in found.causes]
    _print_some(["CAUSE", "INCIDENTS", "RESOLVED"], causes)
    fixes = [[row.fix, f"{row.worked}/{row.tried}", percent(row.bound)] for row in found.fixes]
    _print_some(["FIX", "WORKED", "AT LEAST"], fixes)
    back = [[row.cause, str(row.incidents), row.project or "-"] for row in found.recurring]
    _print_some(["COMES BACK", "TIMES", "PROJECT"], back)


def _print_some(heads: list[str], rows: list[list[str]]) -> None:
    if not rows:
        return
    print_table(heads, rows[:_MOST_ROWS], "")
    if len(rows) > _MOST_ROWS:
        print(tr("and {n} more", n=len(rows) - _MOST_ROWS))
