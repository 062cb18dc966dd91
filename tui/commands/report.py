"""Write the diagnosis of a run as one self-contained page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import language
from ..console import console
from ..diagnosing import diagnose
from ..sources import run_or_log

app = typer.Typer()


@app.command()
def report(
    run: Annotated[str, typer.Argument(help="A run directory, a run's id or name, `latest`, or a log file.")],
    html: Annotated[
        Path | None, typer.Option("--html", help="Write the page here; without it the report is printed.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the texts: en or zh.")] = None,
) -> None:
    """Write the diagnosis of a run as one self-contained page."""
    language.use(language.choose(lang))
    directory = run_or_log(run)
    found = diagnose(directory, language.current())
    if html is None:
        from ..report import render

        console().print(render(found))
    else:
        from ..report.page import write_page

        typer.echo(write_page(directory, found, html))
