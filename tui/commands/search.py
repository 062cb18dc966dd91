"""Search the case library, in English or Chinese."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ...casebase.values import Filters, Hit
from .. import language
from ..case_options import AsJson, Cause, Family, Framework, ModelType, Outcome, Project, Since, Until, moment
from ..console import emit_json
from ..language import tr
from ..library import opened
from ..numbers import number

app = typer.Typer()

_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


@app.command()
def search(  # noqa: PLR0913, PLR0917 - one parameter per option
    text: Annotated[
        list[str], typer.Argument(help="What to look for; cause:ID, tag:NAME and the like filter.")
    ],
    cause: Cause = "",
    family: Family = "",
    project: Project = "",
    framework: Framework = "",
    model_type: ModelType = "",
    outcome: Outcome = "",
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Search the case library, in English or Chinese."""
    language.use(language.choose())
    filters = Filters(
        cause=cause,
        family=family,
        project=project,
        framework=framework,
        model_type=model_type,
        outcome=outcome,
        since=moment(since),
        until=moment(until),
    )
    with opened() as library:
        hits = library.search(" ".join(text), filters, limit)
    if as_json:
        emit_json([as_row(hit) for hit in hits])
        return
    for hit in hits:
        print(_lines(hit, styled=sys.stdout.isatty()))
    if not hits:
        print(tr("No case answers that. Try fewer words, or spikelore cases list."))


def as_row(hit: Hit) -> dict[str, object]:
    """Return a hit as the JSON output shows it."""
    case = hit.case
    return {
        "incident": case.id,
        "score": hit.score,
        "title": case.title,
        "title_zh": case.title_zh,
        "cause": case.cause,
        "state": case.state,
        "project": case.project,
        "train": {"before": case.train_before, "after": case.train_after},
        "snippet": hit.snippet,
        "marks": hit.marks,
        "reference": case.reference or None,
    }


def _lines(hit: Hit, styled: bool) -> str:
    case = hit.case
    bold, dim, plain = (_BOLD, _DIM, _PLAIN) if styled else ("", "", "")
    snippet = hit.snippet
    for start, end in reversed(hit.marks if styled else []):
        snippet = f"{snippet[:start]}{bold}{snippet[start:end]}{plain}{snippet[end:]}"
    change = ""
    if case.train_before is not None or case.train_after is not None:
        change = f"  {number(case.train_before, 3)} → {number(case.train_after, 3)}"
    head = f"{bold}{case.id}{plain}  {case.cause or '?'}  {tr(case.state)}{change}"
    return f"{head}\n    {snippet}\n{f'    {dim}{case.reference}{plain}' + chr(10) if case.reference else ''}"
