"""Open the terminal application, on the list of runs or on one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def triage(
    run: Annotated[
        str | None,
        typer.Argument(
            help="A run directory, a run's id or name, or `latest`; the list of runs when left out."
        ),
    ] = None,
    folder: Annotated[
        list[Path] | None, typer.Option("--folder", help="Another folder of runs; may be repeated.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the texts: en or zh.")] = None,
    theme: Annotated[str | None, typer.Option(help="Colour theme, for example spikelore-light.")] = None,
    keys: Annotated[bool, typer.Option("--keys", help="List all keys with their ids and exit.")] = False,
) -> None:
    """Open the terminal application, on the list of runs or on one run."""
    if keys:
        from ..console import print_table
        from ..keys import all_keys

        print_table(["ID", "KEY", "DOES"], all_keys(), "")
        return
    from ..launch import open_application

    open_application(run, folder or [], lang, theme)
