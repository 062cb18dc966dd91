"""Say why the loss of a run jumped, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import language
from ..console import console
from ..diagnosing import diagnose as diagnose_run
from ..sources import run_or_log

app = typer.Typer()


@app.command()
def diagnose(
    run: Annotated[str, typer.Argument(help="A run directory, a run's id or name, `latest`, or a log file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the diagnosis as JSON.")] = False,
    lang: Annotated[str | None, typer.Option(help="Language of the texts: en or zh.")] = None,
    fail_on_spike: Annotated[
        bool, typer.Option("--fail-on-spike", help="Exit with 1 if the loss spiked.")
    ] = False,
) -> None:
    """Say why the loss of a run jumped, and what to do."""
    language.use(language.choose(lang))
    found = diagnose_run(run_or_log(run), language.current())
    if as_json:
        typer.echo(found.to_json())
    else:
        from ..report import render

        console().print(render(found))
    if fail_on_spike and found.verdict == "spike":
        raise typer.Exit(1)
