"""Look into the case library, add to it, resolve, share."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ...casebase.values import Case, Filters, FixTried, Loss, spelled
from .. import language
from ..case_options import (
    AsJson,
    By,
    Cause,
    Family,
    Incident,
    Outcome,
    Project,
    Since,
    State,
    Tag,
    Tried,
    Until,
    moment,
)
from ..console import emit_json, print_table
from ..errors import UserError
from ..language import current, tr
from ..library import opened
from ..numbers import duration, percent, when

app = typer.Typer(no_args_is_help=True)


@app.callback()
def cases() -> None:
    """Look into the case library, add to it, resolve, share."""
    language.use(language.choose())


@app.command("list")
def list_(  # noqa: PLR0913, PLR0917 - one parameter per option
    cause: Cause = "",
    family: Family = "",
    state: State = "",
    project: Project = "",
    tag: Tag = "",
    outcome: Outcome = "",
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List incidents, newest first."""
    import time

    filters = Filters(
        cause=cause,
        family=family,
        state=state,
        project=project,
        tag=tag,
        outcome=outcome,
        since=moment(since),
        until=moment(until),
    )
    with opened() as library:
        found = library.list(filters, limit)
    if as_json:
        emit_json(found)
        return
    now = time.time()
    print_table(
        ["INCIDENT", "STATE", "CAUSE", "TITLE", "OPENED"],
        (
            [case.id, tr(case.state), case.cause or "?", _title(case), when(case.created, now)]
            for case in found
        ),
        tr("No incidents here yet. A watched run opens them: spikelore run -- python train.py"),
    )


@app.command()
def show(
    incident: Incident,
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="Write a postmortem page to this file.")] = None,
) -> None:
    """Show everything known of an incident, as a postmortem."""
    from ...casebase.postmortem import html_page, markdown

    with opened() as library:
        case = library.get(incident)
    if html is not None:
        html.write_text(html_page(case, current()), encoding="utf-8")
    elif as_json:
        emit_json(spelled(msgspec.to_builtins(case)))
    else:
        print(markdown(case, current()))


@app.command()
def add(  # noqa: PLR0913, PLR0917 - one parameter per option
    title: Annotated[str, typer.Argument(help="What happened, in one line.")],
    cause: Annotated[str, typer.Option(help="Cause id; leave it out while it is unknown.")] = "",
    summary: Annotated[str, typer.Option(help="The story; - reads it from standard input.")] = "",
    before: Annotated[float | None, typer.Option(help="Training loss before.")] = None,
    after: Annotated[float | None, typer.Option(help="Training loss at the spike.")] = None,
    project: Annotated[str, typer.Option(help="Project that it belongs to.")] = "",
    model_type: Annotated[str, typer.Option(help="Kind of model.")] = "",
    fix: Tried = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag; may be repeated.")] = None,
    reference: Annotated[str, typer.Option(help="Address of a public account.")] = "",
    by: By = "",
) -> None:
    """Add an incident by hand and print its id."""
    who = by or _user()
    case = Case(
        title=title,
        summary=sys.stdin.read() if summary == "-" else summary,
        predicted="",
        train_before=before,
        train_after=after,
        project=project,
        model_type=model_type,
        reference=reference,
        source="hand",
        tags=tag or [],
    )
    with opened() as library:
        identifier = library.add(case)
        if cause:
            library.resolve(identifier, cause, _tried(fix, None), by=who)
        elif fix:
            for one in _tried(fix, None):
                one.by = who
                library.add_fix(identifier, one)
    print(identifier)


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
            confirmed = cause or library.get(incident).predicted
            if not confirmed:
                raise UserError(
                    f"incident {incident}: no cause was predicted; name it with --cause FAMILY.NAME"
                )
            case = library.resolve(incident, confirmed, _tried(fix, after), note, by or _user())
    print(
        tr("{incident} is {state}: {cause}", incident=case.id, state=tr(case.state), cause=case.cause or "?")
    )


@app.command()
def note(incident: Incident, text: str, by: By = "") -> None:
    """Write a note on an incident."""
    with opened() as library:
        library.note(incident, text, by or _user())


@app.command()
def tag(
    incident: Incident,
    names: Annotated[list[str], typer.Argument(help="One word each.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take them off instead.")] = False,
) -> None:
    """Put tags on an incident, or take them off."""
    with opened() as library:
        (library.untag if remove else library.tag)(incident, *names)


@app.command()
def export(
    file: Annotated[Path, typer.Argument(help="JSON Lines file to write.")],
    cause: Cause = "",
    family: Family = "",
    state: State = "",
    project: Project = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would be removed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Export incidents without personal paths, hosts, users and secrets."""
    filters = Filters(cause=cause, family=family, state=state, project=project)
    with opened() as library:
        report = library.export(file, filters, preview)
    if as_json:
        emit_json(report)
        return
    for kind, texts in report.removed.items():
        for text in texts:
            print(f"{tr('removed')}  {kind:8} {text}")
    done = tr("would be written to") if preview else tr("written to")
    print(tr("{n} incidents {done} {file}", n=report.cases, done=done, file=file))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="File that `cases export` wrote.")], as_json: AsJson = False
) -> None:
    """Import incidents that somebody exported."""
    with opened() as library:
        report = library.import_(file)
    _print_import(report, as_json)


@app.command()
def merge(
    other: Annotated[str, typer.Argument(help="Another library: its file, or a database address.")],
    as_json: AsJson = False,
) -> None:
    """Take over everything from another library, without doubles."""
    address = other if "://" in other else f"sqlite:///{Path(other).resolve()}"
    if "://" not in other and not Path(other).is_file():
        raise UserError(f"{other}: no such file; valid is a library's file or a database address")
    with opened() as library:
        report = library.merge(address)
    _print_import(report, as_json)


@app.command()
def stats(as_json: AsJson = False) -> None:
    """Show the library in figures: top causes, what works, what comes back."""
    with opened() as library:
        found = library.statistics()
    if as_json:
        emit_json(found)
        return
    print(
        tr(
            "{n} incidents: {open} open, {resolved} resolved",
            n=found.incidents,
            open=found.open,
            resolved=found.resolved,
        )
        + (f"; {tr('{n} came with spikelore', n=found.starter)}" if found.starter else "")
    )
    if found.median_resolution is not None:
        print(tr("half are resolved within {time}", time=duration(found.median_resolution)))
    if found.confirmed:
        share = percent(found.confirmed_right / found.confirmed)
        print(tr("the first cause named was right in {share} of {n}", share=share, n=found.confirmed))
    _print_tables(found)


def _print_tables(found: Any) -> None:
    print_table(
        ["CAUSE", "INCIDENTS", "RESOLVED"],
        ([row.cause, str(row.incidents), str(row.resolved)] for row in found.causes[:15]),
        "",
    )
    print_table(
        ["FIX", "WORKED", "AT LEAST"],
        ([row.fix, f"{row.worked}/{row.tried}", percent(row.bound)] for row in found.fixes[:15]),
        "",
    )
    if found.recurring:
        print_table(
            ["COMES BACK", "TIMES", "PROJECT"],
            ([row.cause, str(row.incidents), row.project or "-"] for row in found.recurring),
            "",
        )


def _print_import(report: Any, as_json: bool) -> None:
    if as_json:
        emit_json(report)
    else:
        print(
            tr(
                "{added} added, {joined} joined with what was known, {unchanged} unchanged",
                added=report.added,
                joined=report.joined,
                unchanged=report.unchanged,
            )
        )


def _tried(given: list[str] | None, after: Loss) -> list[FixTried]:
    """Return attempts from ``ID=outcome`` texts.

    Raises:
        UserError: an outcome is missing.
    """
    attempts = []
    for text in given or []:
        name, separator, outcome = text.rpartition("=")
        if not separator or outcome not in ("worked", "failed", "unknown"):
            raise UserError(f"--fix {text!r}: says no outcome; valid: ID=worked, ID=failed or ID=unknown")
        is_id = name.startswith("fix.") and " " not in name
        attempts.append(
            FixTried(
                fix=name if is_id else "",
                text="" if is_id else name,
                outcome=outcome,  # type: ignore[arg-type]  # checked above
                after=after if outcome == "worked" else None,
            )
        )
    return attempts


def _title(case: Any) -> str:
    return str((current() == "zh" and case.title_zh) or case.title or case.title_zh)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
