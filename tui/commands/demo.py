"""See one spike live: a small real job with a fault built in, diagnosed while it trains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import emit_json, print_table
from ..demo import DEFAULT_CAUSE, causes

app = typer.Typer()


@app.command()
def demo(
    cause: Annotated[str, typer.Option(help="The fault to build in; --list shows all.")] = DEFAULT_CAUSE,
    no_tui: Annotated[
        bool, typer.Option("--no-tui", help="Print the report instead of opening the TUI.")
    ] = False,
    run_dir: Annotated[
        Path | None, typer.Option(help="Folder of the run.", show_default="below the home folder")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of data order and initial weights.")] = 0,
    lang: Annotated[str | None, typer.Option(help="Language of the texts: en or zh.")] = None,
    list_causes: Annotated[bool, typer.Option("--list", help="List the faults and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --list, print JSON.")] = False,
) -> None:
    """See one spike live: a small real job with a fault built in, diagnosed while it trains."""
    if list_causes:
        if as_json:
            emit_json(causes())
        else:
            print_table(["CAUSE", "FAULT"], causes().items(), "")
        return
    from ..demonstration import demonstrate

    raise typer.Exit(demonstrate(cause, seed, run_dir, lang, no_tui))
