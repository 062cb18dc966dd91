"""List the PyTorch processes on this machine that can be attached to."""

from __future__ import annotations

from typing import Annotated

import typer

from .. import clock
from ..console import emit_json, print_table
from ..numbers import duration, size

app = typer.Typer()


@app.command()
def ps(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the PyTorch processes on this machine that can be attached to."""
    from ..processes import torch_processes

    found = torch_processes()
    if as_json:
        emit_json(found)
        return
    now = clock.now()
    print_table(
        ["PID", "USER", "AGE", "MEMORY", "RUN", "COMMAND"],
        (
            [str(row.pid), row.user, duration(now - row.started), size(row.memory), row.run, row.command]
            for row in found
        ),
        "No process with PyTorch loaded was found. Start one: spikelore run -- python train.py",
    )
