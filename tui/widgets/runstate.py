"""How the state of a run looks: a mark, a word and a colour; never the colour alone."""

from __future__ import annotations

from textual.content import Content

from ..language import tr
from ..runs import RunSummary

MARKS = {
    "running": ("●", "$success"),
    "finished": ("✓", "$foreground 60%"),
    "failed": ("✗", "$error"),
    "lost": ("?", "$warning"),
    "imported": ("↓", "$foreground 60%"),
    "unreadable": ("!", "$error"),
}


def state(name: str) -> Content:
    """Return a state's mark and name."""
    mark, colour = MARKS.get(name, ("·", "$foreground 60%"))
    return Content.styled(f"{mark} {tr(name)}", colour)


def alarm(summary: RunSummary) -> Content:
    """Return what is wrong with a run, in a few words."""
    if summary.problem:
        return Content.styled(summary.problem, "$text-error")
    if summary.alarm is None:
        return Content("")
    if summary.alarm.level == "alarm":
        return Content.styled(tr("▲ spike at {step}", step=f"{summary.alarm.step:,}"), "bold $plot-alarm")
    if summary.alarm.level == "withdrawn":
        place = f"{summary.alarm.step:,}"
        return Content.styled(tr("○ withdrawn at {step}", step=place), "$foreground 60%")
    return Content.styled(tr("△ warning at {step}", step=f"{summary.alarm.step:,}"), "$plot-val")
