"""Sharing cases: export without anything private, import, merge."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..casebase.values import Filters
from .case_options import AsJson, with_filters
from .console import emit_json
from .errors import UserError
from .language import tr
from .library import opened

if TYPE_CHECKING:
    from ..casebase.exchange import ExportReport
    from ..casebase.intake import ImportReport

_MOST_SHOWN = 20
"""Removed texts of one kind that are shown."""


@with_filters
def export(
    filters: Filters,
    file: Annotated[Path, typer.Argument(help="JSON Lines file to write.")],
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would be removed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Export incidents without personal paths, hosts, users and secrets; what is removed is shown first."""
    with opened() as library:
        report = library.export(file, filters, preview=True)
        if not as_json:
            _print_removed(report)
        asked = not (preview or yes or as_json) and sys.stdin.isatty() and sys.stdout.isatty()
        if asked and not typer.confirm(tr("Write {n} incidents to {file}?", n=report.cases, file=file)):
            return
        if not preview:
            report = library.export(file, filters)
    if as_json:
        emit_json(report)
        return
    done = tr("would be written to") if preview else tr("written to")
    print(tr("{n} incidents {done} {file}", n=report.cases, done=done, file=file))


def import_(
    file: Annotated[Path, typer.Argument(help="File that `cases export` wrote.")], as_json: AsJson = False
) -> None:
    """Import incidents that somebody exported."""
    with opened() as library:
        report = library.import_(file)
    _print_import(report, as_json)


def merge(
    other: Annotated[str, typer.Argument(help="Another library: its file, or a database address.")],
    as_json: AsJson = False,
) -> None:
    """Take over everything from another library, without doubles."""
    address = other if "://" in other else f"sqlite:///{Path(other).resolve()}"
    if "://" not in other and not Path(other).is_file():
        raise UserError(f"{other}: no such file; valid is a library's file or a database address")
    with opened() as library:
        report = library.merge(address)
    _print_import(report, as_json)


def _print_removed(report: ExportReport) -> None:
    for kind, texts in report.removed.items():
        for text in texts[:_MOST_SHOWN]:
            print(f"{tr('removed')}  {kind:8} {text}")
        if len(texts) > _MOST_SHOWN:
            print(f"{tr('removed')}  {kind:8} {tr('and {n} more', n=len(texts) - _MOST_SHOWN)}")


def _print_import(report: ImportReport, as_json: bool) -> None:
    if as_json:
        emit_json(report)
        return
    print(
        tr(
            "{added} added, {joined} joined with what was known, {unchanged} unchanged",
            added=report.added,
            joined=report.joined,
            unchanged=report.unchanged,
        )
    )
