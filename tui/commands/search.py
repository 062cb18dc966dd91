"""Search the case library, in English or Chinese."""

from __future__ import annotations

from typing import Annotated

import typer

from ...casebase.values import Filters, Hit
from .. import language
from ..case_lines import print_hit
from ..case_options import AsJson, with_filters
from ..console import emit_json
from ..language import tr
from ..library import opened

app = typer.Typer()


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
        print_hit(hit)
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
