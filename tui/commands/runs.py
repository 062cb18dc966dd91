"""List the runs recorded on this machine, live ones first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import clock
from ..console import emit_json, print_table
from ..home import runs_dir
from ..numbers import number, when
from ..runs import RunSummary, summaries

app = typer.Typer()


@app.command()
def runs(
    folder: Annotated[
        list[Path] | None, typer.Argument(help="More folders of runs to look in.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the runs recorded on this machine, live ones first."""
    found = summaries(*(folder or []))
    if as_json:
        emit_json([_plain(row) for row in found])
        return
    now = clock.now()
    print_table(
        ["RUN", "STATE", "STARTED", "STEP", "LOSS", "ALARM"],
        (
            [row.name, row.state, when(row.created, now), number(row.step), number(row.loss), _alarm(row)]
            for row in found
        ),
        f"No runs in {runs_dir()} yet. Start one: spikelore run -- python train.py",
    )


def _alarm(row: RunSummary) -> str:
    if row.problem:
        return row.problem
    return f"{row.alarm.level} at step {row.alarm.step:,}" if row.alarm else ""


def _plain(row: RunSummary) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "path": str(row.path),
        "state": row.state,
        "source": row.source,
        "created": row.created,
        "ended": row.ended,
        "exit_code": row.exit_code,
        "step": row.step,
        "epoch": row.epoch,
        "loss": number(row.loss) if row.loss is not None and row.loss - row.loss != 0 else row.loss,
        "alarm": row.alarm,
        "problem": row.problem,
    }
