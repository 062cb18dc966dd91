"""Start a training job with probes on board; the job itself stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..recording import Options, record_job

app = typer.Typer()


@app.command(context_settings={"allow_interspersed_args": False})
def run(  # noqa: PLR0913, PLR0917 - each argument is an option
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND", help="The job, best after --: spikelore run -- python train.py --lr 0.1"
        ),
    ],
    run_dir: Annotated[
        Path | None, typer.Option(help="Folder of the run; it must not hold one yet.", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the run.")] = "",
    project: Annotated[str, typer.Option(help="Groups runs and cases.")] = "",
    budget: Annotated[
        float | None,
        typer.Option(help="Share of the step time that probes may take, 0.01 for 1 %.", min=0.0, max=1.0),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch/--no-watch", help="Raise alarms and diagnose while the job runs.")
    ] = True,
    alerts: Annotated[
        bool, typer.Option("--alerts", help="Print alarms to stderr even if it is no terminal.")
    ] = False,
    lang: Annotated[str | None, typer.Option(help="Language of the texts: en or zh.")] = None,
) -> None:
    """Start a training job with probes on board; the job itself stays as it is.

    Everything after -- is the job: a script, `python -m`, torchrun, accelerate or a shell script. Its
    output, its exit code and its weights are the same as without probes.
    """
    options = Options(run_dir, name, project, budget, watch, alerts, lang)
    raise typer.Exit(record_job(command, options))
