"""Look into the case library, add to it, resolve, share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ...casebase.values import Filters, spelled
from .. import case_adding, case_sharing, case_statistics, language
from ..case_lines import print_case
from ..case_options import AsJson, By, Incident, Tried, attempts, author, with_filters
from ..console import emit_json, print_markdown
from ..errors import UserError
from ..language import current, tr
from ..library import opened

app = typer.Typer(no_args_is_help=True)


@app.callback()
def cases() -> None:
    """Look into the case library, add to it, resolve, share."""
    language.use(language.choose())


@app.command("list")
@with_filters
def list_(
    filters: Filters,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List incidents, newest first."""
    with opened() as library:
        found = library.list(filters, limit)
    if as_json:
        emit_json(found)
        return
    for case in found:
        print_case(case)
    if not found:
        none = "No incidents here yet. A watched run opens them: spikelore run -- python train.py"
        print(tr(none if filters == Filters() else "No incident passes these filters."))


@app.command()
def show(incident: Incident, as_json: AsJson = False) -> None:
    """Show everything known of an incident."""
    from ...casebase.postmortem import markdown

    with opened() as library:
        case = library.get(incident)
    if as_json:
        emit_json(spelled(msgspec.to_builtins(case)))
    else:
        print_markdown(markdown(case, current()))


@app.command()
def postmortem(
    incident: Incident,
    file: Annotated[
        Path, typer.Argument(help="File to write: NAME.html, or NAME.md with its plots beside it.")
    ],
) -> None:
    """Write the account of an incident, with plots of loss, gradient norm and learning rate."""
    from ...casebase.postmortem import write

    with opened() as library:
        written = write(library.get(incident), file, current())
    for path in written:
        print(path)


@app.command()
def resolve(
    incident: Incident,
    cause: Annotated[str, typer.Option(help="Confirmed cause id; the predicted one if not given.")] = "",
    fix: Tried = None,
    after: Annotated[float | None, typer.Option(help="Training loss once the fix was in.")] = None,
    note: Annotated[str, typer.Option(help="What the next person should know.")] = "",
    by: By = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take the last resolving back.")] = False,
) -> None:
    """Resolve an incident with its cause, the fixes tried and what came of each."""
    with opened() as library:
        if undo:
            case = library.unresolve(incident)
        else:
            confirmed = cause or library.get(incident).cause
            if not confirmed:
                raise UserError(
                    f"incident {incident}: no cause was predicted; name it with --cause FAMILY.NAME"
                )
            case = library.resolve(incident, confirmed, attempts(fix, after), note, author(by))
    print(
        tr("{incident} is {state}: {cause}", incident=case.id, state=tr(case.state), cause=case.cause or "?")
    )


@app.command()
def note(incident: Incident, text: str, by: By = "") -> None:
    """Write a note on an incident."""
    with opened() as library:
        library.note(incident, text, author(by))


@app.command()
def tag(
    incident: Incident,
    names: Annotated[list[str], typer.Argument(help="One word each.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take them off instead.")] = False,
) -> None:
    """Put tags on an incident, or take them off."""
    with opened() as library:
        (library.untag if remove else library.tag)(incident, *names)


app.command()(case_adding.add)
app.command()(case_adding.form)
app.command()(case_sharing.export)
app.command("import")(case_sharing.import_)
app.command()(case_sharing.merge)
app.command()(case_statistics.stats)
