"""Put probes into a running, unmodified training process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import emit_json

app = typer.Typer()


@app.command()
def attach(
    pid: Annotated[
        int, typer.Argument(help="The process; a launcher such as torchrun stands for its ranks.")
    ],
    run_dir: Annotated[
        Path | None, typer.Option(help="Folder of the run.", show_default="below the home folder")
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(help="Share of the step time that probes may take, 0.01 for 1 %.", min=0.0, max=1.0),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Raise alarms and diagnose in the background.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put probes into a running, unmodified training process."""
    from .. import attaching

    done = attaching.attach(pid, run_dir, budget, watch)
    if as_json:
        emit_json({"run": str(done.run.path), "pids": done.pids, "mechanism": done.mechanism})
        return
    for each in done.pids:
        typer.echo(f"attached to {each} by {done.mechanism[each]}")
    typer.echo(f"run: {done.run.path}\nsee: spikelore triage {done.run.path}")
