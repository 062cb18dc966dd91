"""Say what works on this machine, and how to make the rest work."""

from __future__ import annotations

from typing import Annotated

import typer

from ..checks import Check, run_checks
from ..console import console, emit_json

app = typer.Typer()

_MARKS = {"ok": "[green]✓[/]", "limited": "[yellow]△[/]", "missing": "[red]✗[/]"}


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    strict: Annotated[
        bool, typer.Option("--fail-on-missing", help="Exit with 1 if something is missing.")
    ] = False,
) -> None:
    """Say what works on this machine, and how to make the rest work."""
    checks = run_checks()
    if as_json:
        emit_json(checks)
    else:
        _print(checks)
    if strict and any(check.state == "missing" for check in checks):
        raise typer.Exit(1)


def _print(checks: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for check in checks:
        remedy = Text(f"\n{check.remedy}", style="dim") if check.remedy else ""
        table.add_row(_MARKS[check.state], Text(check.name, style="bold"), Text.assemble(check.found, remedy))
    console().print(table)
