"""What the triage says above and beside the causes."""

from __future__ import annotations

from textual.content import Content

from ...rules.diagnosis import Diagnosis
from .. import wording
from ..language import tr
from ..numbers import percent


def headline(diagnosis: Diagnosis) -> Content:
    """Return the verdict and what happened."""
    verdict = tr(wording.VERDICTS[diagnosis.verdict])
    name = f" · {wording.readable(diagnosis.pattern)}" if diagnosis.pattern else ""
    style = "bold $plot-alarm" if diagnosis.verdict == "spike" else "bold $plot-train"
    return Content.assemble((f"{verdict}{name}", style), "  ", wording.headline(diagnosis))


def gaps(diagnosis: Diagnosis) -> Content:
    """Return what moved before the loss, what the recording missed, and what would decide."""
    parts = [Content.styled(moved.text, "$foreground 80%") for moved in diagnosis.precursors]
    parts += [Content.styled(f"△ {text}", "$text-warning") for text in diagnosis.warnings]
    if diagnosis.needed:
        parts.append(Content.styled(tr("Would decide"), "$foreground 60%"))
        parts += [Content(f"• {text}") for text in diagnosis.needed]
    return Content("\n").join(parts)


def like(diagnosis: Diagnosis) -> Content:
    """Return the most similar incidents in a few lines."""
    if not diagnosis.similar:
        return Content("")
    lines = [Content.styled(tr("Similar incidents"), "$foreground 60%")]
    for past in diagnosis.similar[:3]:
        fix = f"{past.fix} {tr(past.outcome or 'outcome unknown')}" if past.fix else tr("no fix recorded")
        lines.append(Content.assemble((f"{percent(past.score):>5}  ", "bold"), (past.cause, "$primary")))
        lines.append(Content.styled(f"       {fix}", "$foreground 60%"))
    return Content("\n").join(lines)
