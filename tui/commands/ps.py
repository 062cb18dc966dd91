"""List the PyTorch processes on this machine that can be attached to."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from .. import clock
from ..console import emit_json, print_table
from ..numbers import duration, percent, size

app = typer.Typer()


@app.command()
def ps(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the PyTorch processes on this machine that can be attached to."""
    from ..attaching import Process, training_processes

    found = training_processes()
    if as_json:
        emit_json(found)
        return
    now = clock.now()

    def cells(row: Process) -> list[str]:
        rank = "" if row.rank is None else f"{row.rank}/{row.world}" if row.world else str(row.rank)
        age, memory = duration(now - row.started), size(row.memory)
        command = " ".join(shlex.join(row.command).split())
        return [str(row.pid), row.user, rank, age, percent(row.cpu), memory, row.run or "", command]

    print_table(
        ["PID", "USER", "RANK", "AGE", "CPU", "MEMORY", "RUN", "COMMAND"],
        map(cells, found),
        "No process with PyTorch loaded was found. Start one: spikelore run -- python train.py",
    )
