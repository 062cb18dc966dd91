"""Writing a case down by hand: from options, or from a form."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from ..casebase.entry import Entry
from .case_options import By, Tried, attempts, author
from .errors import UserError
from .language import current
from .library import opened

_MOST_BYTES = 64 * 1024


def add(  # noqa: PLR0913, PLR0917 - one parameter per option
    title: Annotated[str, typer.Argument(help="What happened, in one line.")] = "",
    cause: Annotated[str, typer.Option(help="Cause id; leave it out while it is unknown.")] = "",
    summary: Annotated[str, typer.Option(help="The story; - reads it from standard input.")] = "",
    before: Annotated[float | None, typer.Option(help="Training loss before.")] = None,
    after: Annotated[float | None, typer.Option(help="Training loss at the spike.")] = None,
    project: Annotated[str, typer.Option(help="Project that it belongs to.")] = "",
    model_type: Annotated[str, typer.Option(help="Kind of model.")] = "",
    fix: Tried = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag; may be repeated.")] = None,
    reference: Annotated[str, typer.Option(help="Address of a public account.")] = "",
    form: Annotated[
        Path | None, typer.Option(help="Read a form that was filled in instead; - is standard input.")
    ] = None,
    by: By = "",
) -> None:
    """Add an incident by hand and print its id; without a title, the form opens in your editor."""
    if title:
        entry = Entry(
            title=title,
            summary=sys.stdin.read() if summary == "-" else summary,
            cause=cause,
            project=project,
            model_type=model_type,
            reference=reference,
            train=(before, after),
            fixes=attempts(fix),
            tags=tag or [],
        )
    else:
        entry = _filled_in(form)
    case = entry.case("hand", time.time(), author(by))
    with opened() as library:
        print(library.add(case))


def form() -> None:
    """Print the blank form for `cases add --form`."""
    from ..casebase.form import FORMS

    print(FORMS[current()], end="")


def _filled_in(file: Path | None) -> Entry:
    from ..casebase.form import read_form

    if file is None:
        return read_form(_edited(), "form")
    if str(file) == "-":
        return read_form(sys.stdin.read(_MOST_BYTES + 1), "standard input")
    with file.open(encoding="utf-8") as stream:
        return read_form(stream.read(_MOST_BYTES + 1), str(file))


def _edited() -> str:
    """Return the form as the user's editor leaves it.

    Raises:
        UserError: there is no terminal, or the form was left as it was.
    """
    import click

    from ..casebase.form import FORMS

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UserError("cases add: says nothing of the case; valid is a title, or --form FILE")
    text = click.edit(FORMS[current()], extension=".yaml")
    if text is None or text == FORMS[current()]:
        raise UserError("cases add: the form was left blank, so nothing was added")
    return text
