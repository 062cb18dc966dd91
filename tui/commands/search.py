"""Search the case library, in English or Chinese."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from ...casebase.values import OUTCOMES, Filters, Hit
from .. import language
from ..case_options import AsJson, with_filters
from ..console import emit_json
from ..language import tr
from ..library import opened
from ..numbers import number
from ..wording import case_title

app = typer.Typer()

_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


@app.command()
@with_filters
def search(
    filters: Filters,
    text: Annotated[
        list[str] | None,
        typer.Argument(help="What to look for; cause:ID, tag:NAME and the like filter. All if left out."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Search the case library, in English or Chinese."""
    language.use(language.choose())
    with opened() as library:
        hits = library.search(" ".join(text or []), filters, limit)
    if as_json:
        emit_json([as_row(hit) for hit in hits])
        return
    for hit in hits:
        print("\n    ".join(_lines(hit, styled=sys.stdout.isatty())), end="\n\n")
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
        "fixes": [{"fix": fix.fix, "text": fix.text, "outcome": fix.outcome} for fix in hit.fixes],
        "reference": case.reference or None,
    }


def _lines(hit: Hit, styled: bool) -> Iterator[str]:
    case = hit.case
    bold, dim, plain = (_BOLD, _DIM, _PLAIN) if styled else ("", "", "")
    change = ""
    if case.train_before is not None or case.train_after is not None:
        change = f"  {number(case.train_before, 3)} → {number(case.train_after, 3)}"
    yield f"{bold}{case.id}{plain}  {case.cause or '?'}  {tr(case.state)}{change}"
    yield case_title(case)
    snippet = hit.snippet
    for start, end in reversed(hit.marks if styled else []):
        snippet = f"{snippet[:start]}{bold}{snippet[start:end]}{plain}{snippet[end:]}"
    if snippet:
        yield snippet
    for outcome in OUTCOMES:
        tried = dict.fromkeys(fix.fix or fix.text for fix in hit.fixes if fix.outcome == outcome)
        if tried:
            yield f"{tr(outcome)}: {', '.join(tried)}"
    if case.reference:
        yield f"{dim}{case.reference}{plain}"
