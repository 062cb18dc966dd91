"""Take the probes out of a process again; the job goes on."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def detach(
    pid: Annotated[
        int, typer.Argument(help="The process; a launcher such as torchrun stands for its ranks.")
    ],
) -> None:
    """Take the probes out of a process again; the job goes on."""
    from .. import attaching

    for run in attaching.detach(pid):
        typer.echo(f"detached from {pid}; its run: {run}")
