"""Options that the verbs on the case library share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Incident = Annotated[str, typer.Argument(help="Id of the incident, or the start of it.")]
Cause = Annotated[str, typer.Option(help="Only incidents of this cause.")]
Family = Annotated[str, typer.Option(help="Only causes of this family.")]
State = Annotated[str, typer.Option(help="Only open or resolved ones.")]
Project = Annotated[str, typer.Option(help="Only incidents of this project.")]
Framework = Annotated[str, typer.Option(help="Only incidents of this framework.")]
ModelType = Annotated[str, typer.Option(help="Only incidents of this kind of model.")]
Tag = Annotated[str, typer.Option(help="Only incidents with this tag.")]
Outcome = Annotated[str, typer.Option(help="Only incidents with a fix that worked, or failed.")]
Since = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only those opened on this day or later.")
]
Until = Annotated[
    datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only those opened before this day.")
]
Tried = Annotated[
    list[str] | None,
    typer.Option(
        "--fix", help="What was tried: ID=worked, ID=failed or ID=unknown; words instead of an ID too."
    ),
]
By = Annotated[str, typer.Option(help="Who says so; the user's name if not given.", show_default=False)]


def moment(day: datetime | None) -> float | None:
    """Return the beginning of a day here, as Unix seconds."""
    return None if day is None else day.timestamp()
