"""The run under the cursor: its loss and how it was started."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ...probes.evidence import EvidenceError, RunDirectory
from .. import clock
from ..language import tr
from ..numbers import duration, number, when
from ..runs import RunSummary, span


class RunPreview(Vertical):
    """A small plot over a few facts."""

    DEFAULT_CSS = """
    RunPreview {
        & Plot { height: 12; }
        & #about { margin-top: 1; height: 1fr; }
    }
    """

    def compose(self) -> ComposeResult:
        """Compose the facts; the plot comes with the first run that is shown."""
        yield Static(id="about")

    async def show(self, row: RunSummary | None) -> None:
        """Show a run, or nothing."""
        self.visible = row is not None
        if row is None or not self.is_mounted or not self.display:
            return
        await self._draw(row)
        self.query_one("#about", Static).update(_about(row))

    async def _draw(self, row: RunSummary) -> None:
        # NumPy takes a tenth of a second to import, which the first picture of the list must not wait for.
        import numpy as np

        from ..widgets.drawing import Line
        from ..widgets.plot import Plot

        if not self.query(Plot):
            await self.mount(Plot(tr("loss"), axis=False), before=0)
        losses = np.array(row.losses)
        steps = np.linspace(0, row.step or len(losses), len(losses))
        plot = self.query_one(Plot)
        plot.alarm = float(row.alarm.step) if row.alarm else None
        plot.show([Line(tr("train"), "train", steps, losses)])


def _about(row: RunSummary) -> Content:
    now = clock.now()
    facts = [("Started", when(row.created, now)), ("Took", duration(span(row, now)))]
    if row.epoch is not None:
        facts.append(("Epoch", number(round(row.epoch, 2))))
    facts += _manifest(row)
    width = max(len(tr(name)) for name, _ in facts) + 2
    lines = [
        Content.assemble((tr(name).ljust(width), "$foreground 60%"), value) for name, value in facts if value
    ]
    return Content("\n").join(lines)


def _manifest(row: RunSummary) -> list[tuple[str, str]]:
    try:
        manifest = RunDirectory(row.path).manifest()
    except EvidenceError as error:
        return [("Problem", str(error))]
    settings = ", ".join(f"{name} {number(value)}" for name, value in manifest.settings.items())
    return [
        ("Command", " ".join(manifest.command)),
        ("Commit", str(manifest.git.get("commit", ""))[:12]),
        ("Host", manifest.host),
        ("Torch", manifest.versions.get("torch", "")),
        ("Settings", settings),
        ("Folder", folder_of(row)),
        ("Source", manifest.source if manifest.source != "probes" else ""),
    ]


def folder_of(row: RunSummary) -> str:
    """Return a run's folder as it can be given to a command."""
    return str(row.path)
