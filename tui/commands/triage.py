"""Open the terminal application, on the list of runs or on one run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def triage(  # noqa: PLR0913, PLR0917 - each argument is an option
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
    in_browser: Annotated[
        bool, typer.Option("--serve", help="Show it in a browser; needs the extra `serve`.")
    ] = False,
    host: Annotated[str, typer.Option(help="With --serve, the address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="With --serve, the port.", min=1, max=65535)] = 8137,
    keys: Annotated[bool, typer.Option("--keys", help="List all keys with their ids and exit.")] = False,
) -> None:
    """Open the terminal application, on the list of runs or on one run."""
    if keys:
        from ..console import print_table
        from ..keys import all_keys

        print_table(["ID", "KEY", "DOES"], all_keys(), "")
        return
    from ..launch import open_application, serve_application

    if in_browser:
        serve_application(run, folder or [], lang, theme, (host, port))
    else:
        open_application(run, folder or [], lang, theme)
