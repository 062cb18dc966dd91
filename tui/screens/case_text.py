"""A case as text: what happened, what it was, what was tried, what was noted."""

from __future__ import annotations

from textual.content import Content

from ...casebase.values import Case, FixTried, Hit
from .. import clock, wording
from ..language import current, tr
from ..numbers import number, percent, when

DIM = "$foreground 60%"
_OUTCOMES = {
    "worked": ("✓", "$text-success"),
    "failed": ("✗", "$text-error"),
    "unknown": ("?", "$text-warning"),
}


def whole(case: Case, hit: Hit | None) -> Content:
    """Return everything worth reading of a case."""
    parts = [_head(case, hit), *_story(case), *_fixes(case.fixes), *_notes(case), *_facts(case), *_tail(case)]
    return Content("\n").join(parts)


def _head(case: Case, hit: Hit | None) -> Content:
    state = (
        (f"✓ {tr('resolved')}", "$text-success")
        if case.state == "resolved"
        else (f"○ {tr('open')}", "$text-warning")
    )
    score = f"   {tr('match')} {percent(hit.score)}" if hit and hit.snippet else ""
    return Content.assemble(
        (wording.case_title(case), "bold"), "\n", state, (score, DIM), (f"   {case.id}", DIM)
    )


def _story(case: Case) -> list[Content]:
    summary = case.summary_zh if current() == "zh" and case.summary_zh else case.summary
    lines = [Content(""), Content(summary)] if summary else [Content("")]
    for name, before, after in (
        ("training", case.train_before, case.train_after),
        ("validation", case.val_before, case.val_after),
    ):
        if before is not None or after is not None:
            change = f"{number(before, 3)} → {number(after, 3)}"
            lines.append(Content.assemble((f"{tr(name)} ", DIM), (change, "bold")))
    if case.cause:
        word = tr("Confirmed cause") if case.confirmed else tr("Suspected cause")
        lines.append(Content.assemble((f"{word} ", DIM), (case.cause, "$primary")))
    return lines


def _fixes(fixes: list[FixTried]) -> list[Content]:
    if not fixes:
        return [Content(""), Content.styled(tr("No fix is recorded."), DIM)]
    lines = [Content(""), Content.styled(tr("Fixes tried"), DIM)]
    for fix in fixes:
        mark, style = _OUTCOMES[fix.outcome]
        change = f"  {number(fix.before, 3)} → {number(fix.after, 3)}" if fix.after is not None else ""
        by = f"  {fix.by}" if fix.by else ""
        lines.append(Content.assemble((f"{mark} ", style), fix.text or fix.fix, (change, "bold"), (by, DIM)))
    return lines


def _notes(case: Case) -> list[Content]:
    if not case.notes:
        return []
    return [
        Content(""),
        *(Content.assemble(("│ ", DIM), note.text, (f"  {note.by}", DIM)) for note in case.notes),
    ]


def _facts(case: Case) -> list[Content]:
    if not case.facts:
        return []
    rows = [Content(""), Content.styled(tr("Evidence"), DIM)]
    width = max(map(len, case.facts)) + 2
    return rows + [
        Content.assemble((name.ljust(width), "$primary"), number(value)) for name, value in case.facts.items()
    ]


def _tail(case: Case) -> list[Content]:
    now = clock.now()
    parts = [
        when(case.created, now),
        case.project,
        case.framework,
        case.model_type,
        case.source,
        case.reference,
    ]
    if case.resolved_by:
        parts.append(tr("resolved by {name}", name=case.resolved_by))
    tags = " ".join(f"#{tag}" for tag in case.tags)
    return [Content(""), Content.styled("  ".join(filter(None, [*parts, tags])), DIM)]
