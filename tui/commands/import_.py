"""Turn another tool's logs into runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..console import console, emit_json, print_table
from ..errors import UserError
from ..home import runs_dir

if TYPE_CHECKING:
    from ...probes.importers import Found, ImportResult, Log, Outcome

app = typer.Typer()

_MOST_REASONS = 50


@app.command("import")
def import_(
    files: Annotated[list[str], typer.Argument(help="Logs, folders of logs, URLs, or - for standard input.")],
    run_dir: Annotated[
        Path | None,
        typer.Option(help="The run directory to make; with many runs, the folder that they go to."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--map", help="Quantity=column where the names do not tell, such as loss=train_ce."),
    ] = None,
    one_run: Annotated[
        bool, typer.Option("--one-run", help="The files are parts of one run, in the order given.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=0, help="Processes for many runs; 0 is one a core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Turn another tool's logs into runs."""
    mapping = _mapping(column or [])
    logs, found = _logs(files)
    if one_run or len(logs) == 1:
        _one([log.path for log in logs] if one_run else [logs[0].path], files, run_dir, mapping, as_json)
        return
    outcomes = _many(logs, run_dir or runs_dir(), mapping, jobs, quiet=as_json)
    _report(outcomes, found, as_json)
    if not any(outcome.result for outcome in outcomes):
        raise UserError(f"none of {len(outcomes)} logs could be imported; the reasons are above")


def _mapping(columns: list[str]) -> dict[str, str]:
    mapping = {}
    for text in columns:
        name, found, column = text.partition("=")
        if not found or not name or not column:
            raise UserError(f"--map {text}: valid is quantity=column, such as loss=train_ce or step=0")
        mapping[name.strip()] = column.strip()
    return mapping


def _logs(files: list[str]) -> tuple[list[Log], list[Found]]:
    """Return the logs meant, a folder standing for all that it holds."""
    from ...probes.importers import Log, find_logs
    from ...probes.importers.folders import runs_in
    from ...probes.importers.remote import is_url, local_copy
    from ...probes.importers.source import store_and_run

    logs: list[Log] = []
    found: list[Found] = []
    for text in files:
        path = local_copy(text) if is_url(text) else Path(text).expanduser()
        if text == "-":
            logs.append(Log(path, "", 0.0))
            continue
        if not store_and_run(path)[0].exists():
            raise UserError(f"{text}: no such file or folder")
        if not path.is_dir():
            logs += [Log(run, "", 0.0) for run in runs_in(path)]
            continue
        inside = find_logs(path)
        if not inside.logs:
            raise UserError(f"{text}: a folder without a log of a known format")
        found.append(inside)
        logs += inside.logs
    return logs, found


def _one(
    paths: list[Path], files: list[str], run_dir: Path | None, mapping: dict[str, str], as_json: bool
) -> None:
    from ...probes.importers import import_log
    from ...probes.importers.reading import run_name
    from ...probes.importers.remote import masked

    target = run_dir or _free(runs_dir(), re.sub(r"[^A-Za-z0-9._-]+", "-", run_name(paths[0])))
    result = import_log(paths, target, mapping, label=masked(files[0]) if len(files) == 1 else "")
    if as_json:
        emit_json(_plain(result))
        return
    out = console()
    out.print(_sentence(result))
    for note in result.notes:
        out.print(f"  {note}", markup=False)
    for place, text in result.examples:
        out.print(f"  not understood: {place}: {text}", markup=False, style="dim")
    out.print(f"Next: spikelore diagnose {result.directory}", markup=False)


def _sentence(result: ImportResult) -> str:
    loss = result.columns.get("loss") or result.columns.get("val.loss", "none")
    rate = result.points / result.seconds if result.seconds > 0 else 0.0
    return (
        f"Read {result.points:,} points as {result.format} in {result.seconds:.1f} s ({rate:,.0f}/s) "
        f"into {result.directory}. Loss: {loss}."
    )


def _free(folder: Path, name: str) -> Path:
    """Return a path in a folder that is not taken."""
    target, count = folder / name, 1
    while target.exists():
        count += 1
        target = folder / f"{name}-{count}"
    return target


def _many(logs: list[Log], folder: Path, mapping: dict[str, str], jobs: int, *, quiet: bool) -> list[Outcome]:
    from ...probes.importers import import_all
    from ...probes.importers.folders import target_names

    root = _common([log.path for log in logs])
    names = target_names([log.path for log in logs], root)
    pairs = [(log.path, _free(folder, name)) for log, name in zip(logs, names, strict=True)]
    with _progress(len(pairs), quiet) as advance:
        return import_all(pairs, mapping, jobs, lambda _: advance())


def _common(paths: list[Path]) -> Path:
    parents = [path.absolute().parents for path in paths]
    shared = set(parents[0]).intersection(*parents[1:])
    return max(shared, key=lambda path: len(path.parts))


@contextmanager
def _progress(total: int, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show a progress bar on standard error, where it does not end up in the result."""
    if quiet:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Importing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("import", total=total)
        yield lambda: progress.advance(task)


def _report(outcomes: list[Outcome], found: list[Found], as_json: bool) -> None:
    good = [outcome.result for outcome in outcomes if outcome.result]
    bad = [outcome for outcome in outcomes if not outcome.result]
    unknown = [path for inside in found for path in inside.unknown]
    copies = [pair for inside in found for pair in inside.copies]
    if as_json:
        emit_json(
            {
                "runs": [_plain(result) for result in good],
                "failed": [{"path": str(outcome.path), "reason": outcome.reason} for outcome in bad],
                "unknown": [str(path) for path in unknown],
                "copies": [{"path": str(path), "same_run_as": str(other)} for path, other in copies],
            }
        )
        return
    _table(good)
    _reasons("Not imported", [f"{outcome.path}: {outcome.reason}" for outcome in bad])
    _reasons("Of no known format", [str(path) for path in unknown])
    _reasons("Other logs of the same runs", [f"{path} (read: {other.name})" for path, other in copies])


def _table(results: list[ImportResult]) -> None:
    rows: dict[str, list[int]] = {}
    for result in results:
        row = rows.setdefault(result.format, [0, 0, 0, 0])
        values = (1, result.points, result.unread, bool(result.segments))
        rows[result.format] = [a + b for a, b in zip(row, values, strict=True)]
    total = [sum(column) for column in zip(*rows.values(), strict=True)] if rows else [0, 0, 0, 0]
    shown = [[name, *(f"{value:,}" for value in row)] for name, row in sorted(rows.items())]
    if len(shown) > 1:
        shown.append(["all", *(f"{value:,}" for value in total)])
    print_table(
        ["FORMAT", "RUNS", "POINTS", "NOT UNDERSTOOD", "WITH RESTARTS"], shown, "No log was imported."
    )


def _reasons(heading: str, lines: list[str]) -> None:
    if not lines:
        return
    out = console()
    out.print(f"{heading}: {len(lines)}")
    for line in lines[:_MOST_REASONS]:
        out.print(f"  {line}", markup=False, soft_wrap=True)
    if len(lines) > _MOST_REASONS:
        out.print(f"  and {len(lines) - _MOST_REASONS} more; all of them with --json")


def _plain(result: ImportResult) -> dict[str, Any]:
    plain = {name: value for name, value in vars(result).items() if name not in ("directory", "segments")}
    return {
        "directory": str(result.directory),
        **plain,
        "segments": [segment.event().data for segment in result.segments],
    }
