"""Live: a run's curves as they grow, the alarm marked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import getters, on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from ...probes.evidence import RunDirectory
from ..follow import Follower, Moment, by_epoch, median_before, of_quantity, window_before
from ..language import tr
from ..widgets.drawing import Line, lines_of
from ..widgets.plot import Plot
from . import live_text
from .base import BaseScreen

LOWER = (
    ("grad.norm", "gradient norm", "gradient"),
    ("lr", "learning rate", "rate"),
    ("update.ratio", "update ratio", "other"),
    ("output.accuracy", "batch accuracy", "rate"),
    ("step.time", "step time", "other"),
    ("gpu.utilization", "GPU utilization", "rate"),
    ("gpu.memory", "GPU memory", "other"),
    ("gpu.temperature", "GPU temperature", "val"),
    ("process.rss", "job's memory", "other"),
)
"""What the lower plot can show: quantity, title, kind of line; of a machine's GPUs all are drawn."""


class LiveScreen(BaseScreen):
    """One run, followed."""

    CSS_PATH = "live.tcss"
    BINDING_GROUP_TITLE = "Live"
    HELP = """
Training and validation loss above, another quantity below. A curve shows the lowest and the highest
value of every column, so one bad batch is seen however long the run is. A validation loss holds until
the next evaluation. The tinted part lies behind the alarm, the dashed line is the level before it, taken
from the tinted stretch before it; `✕` at the upper edge is a loss that was not a number. The mouse reads
values, its wheel zooms.
"""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d,enter", "diagnose", "Diagnose", id="live.diagnose", tooltip="Why the loss jumped"),
        Binding(
            "a", "alarm", "Zoom alarm", id="live.alarm", tooltip="Zoom to the alarm, or back to the whole run"
        ),
        Binding(
            "g", "lower", "Next plot", id="live.lower", tooltip="Show another quantity in the lower plot"
        ),
        Binding("l", "log", "Log", id="live.log", tooltip="Logarithmic or linear axis"),
        Binding("e", "epochs", "Epochs", id="live.epochs", tooltip="Means of epochs, or every step"),
        Binding(
            "plus,equals_sign", "zoom(0.5)", "Zoom in", show=False, id="live.in", tooltip="Half as many steps"
        ),
        Binding("minus", "zoom(2)", "Zoom out", show=False, id="live.out", tooltip="Twice as many steps"),
        Binding("left", "pan(-0.25)", "Earlier", show=False, id="live.left", tooltip="Move to earlier steps"),
        Binding("right", "pan(0.25)", "Later", show=False, id="live.right", tooltip="Move to later steps"),
        Binding("0", "whole", "Whole run", show=False, id="live.whole", tooltip="Show all steps and follow"),
        Binding(
            "comma,shift+left", "point(-1)", "Cursor left", show=False, id="live.prev", tooltip="Read values"
        ),
        Binding(
            "full_stop,shift+right",
            "point(1)",
            "Cursor right",
            show=False,
            id="live.next",
            tooltip="Read values",
        ),
    ]
    view: reactive[tuple[float, float] | None] = reactive(None, repaint=False)
    """Steps shown; None follows the run."""
    extent: reactive[tuple[float, float] | None] = reactive(None, repaint=False)
    """First and last step of the run, the same for both plots."""
    cursor: reactive[float | None] = reactive(None, repaint=False)
    """Step whose values are shown."""
    logarithmic: reactive[bool] = reactive(False, repaint=False)
    """Whether the axes are logarithmic."""
    alarm: reactive[float | None] = reactive(None, repaint=False)
    """Step of the alarm."""
    epochs: reactive[bool] = reactive(False, init=False, repaint=False)
    """Whether the training loss is averaged over epochs."""
    lower: reactive[int] = reactive(0, init=False, repaint=False)
    """Index into the quantities of `LOWER` that this run has."""
    loss_plot = getters.query_one("#loss", Plot)
    lower_plot = getters.query_one("#lower", Plot)

    @dataclass
    class Changed(Message):
        """The run grew."""

        moment: Moment

        def can_replace(self, message: Message) -> bool:
            """Only the latest state is worth drawing."""
            return isinstance(message, LiveScreen.Changed)

    def __init__(self, run: RunDirectory) -> None:
        super().__init__()
        self.run = run
        self.moment: Moment | None = None
        self._told = Content("")
        self.follower = Follower(run, self._report)

    def _report(self, moment: Moment) -> None:
        self.post_message(self.Changed(moment))

    def body(self) -> Iterable[Widget]:
        """Return the run's line, the alarm, both plots and the latest values."""
        yield Static(id="state")
        yield Static(id="banner")
        with Horizontal(id="curves"):
            with Vertical(id="plots"):
                yield self._bound(Plot(tr("loss"), "loss", axis=False, zooms=True))
                yield self._bound(Plot(tr("gradient norm"), "lower", zooms=True))
            yield Static(id="events")
        yield Static(id="latest")

    def _bound(self, plot: Plot) -> Plot:
        plot.data_bind(LiveScreen.view, LiveScreen.extent, LiveScreen.cursor)
        plot.data_bind(LiveScreen.logarithmic, LiveScreen.alarm)
        return plot

    def on_mount(self) -> None:
        """Begin to follow."""
        super().on_mount()
        self.follow()

    def on_unmount(self) -> None:
        """Stop following."""
        self.follower.stop.set()

    @work(thread=True, exclusive=True, group="follow", exit_on_error=False)
    def follow(self) -> None:
        """Read the run in a thread."""
        self.follower.follow()

    @on(Changed)
    def show(self, message: Changed) -> None:
        """Draw the run as it is now."""
        moment = self.moment = message.moment
        self.subject(moment.manifest.name or moment.manifest.id)
        self.alarm = float(moment.alarm.step) if moment.alarm else None
        self.extent = moment.extent
        # Ten times a second: what keeps its size is drawn again without laying out the screen.
        self.query_one("#state", Static).update(live_text.state_line(moment), layout=False)
        self._warn(moment)
        latest = live_text.latest(moment, self.size.width - 2)
        self.query_one("#latest", Static).update(latest, layout=False)
        events = self.query_one("#events", Static)
        told = live_text.events(moment, events.size.height or 20)
        events.update(told, layout=False)
        events.set_class(not told, "-none")
        self._draw()

    def _warn(self, moment: Moment) -> None:
        """Show the alarm where something about it is new: the banner's height may change."""
        told = live_text.banner(moment, self.size.width - 6)
        if told != self._told:
            self._told = told
            banner = self.query_one("#banner", Static)
            banner.update(told)
            banner.set_class(moment.alarm is not None and moment.alarm.level != "withdrawn", "-alarm")

    def _draw(self) -> None:
        if self.moment is None:
            return
        series = self.moment.series
        lines = []
        for name, label, kind in (("loss", "train", "train"), ("val.loss", "validation", "val")):
            if name in series:
                found = by_epoch(series[name]) if self.epochs and name == "loss" else series[name]
                lines.append(Line(tr(label), kind, found.step, found.value, held=name == "val.loss"))
        self.loss_plot.baseline = live_text.level_before(self.moment.alarm)
        self.loss_plot.show(lines)
        choices = self._choices()
        if choices:
            name, title, kind = choices[self.lower % len(choices)]
            shown = of_quantity(name, series)
            first = next(iter(shown.values()))
            self.lower_plot.title = tr(title)
            self.lower_plot.baseline = median_before(first, self.alarm)
            self.lower_plot.show(lines_of(shown, kind))
        self.lower_plot.display = bool(choices)
        window = window_before(series.get("loss"), self.alarm)
        self.loss_plot.window = self.lower_plot.window = window

    def _choices(self) -> list[tuple[str, str, str]]:
        recorded = self.moment.series if self.moment else {}
        return [choice for choice in LOWER if of_quantity(choice[0], recorded)]

    def watch_epochs(self) -> None:
        """Draw with or without means."""
        self._draw()

    def watch_lower(self) -> None:
        """Draw another quantity."""
        self._draw()

    @on(Plot.Pointed)
    def _point_at(self, message: Plot.Pointed) -> None:
        self.cursor = message.step

    @on(Plot.Scrolled)
    def _zoom_at(self, message: Plot.Scrolled) -> None:
        """Zoom so that the step stays under the mouse."""
        low, high = self.loss_plot.shown()
        if message.factor > 1 or high - low > 8:
            reach = (low - message.step) * message.factor, (high - message.step) * message.factor
            self.view = self._within(message.step + reach[0], message.step + reach[1])

    def action_diagnose(self) -> None:
        """Open the diagnosis."""
        self.open("triage", self.run)

    def action_lower(self) -> None:
        """Show the next quantity below."""
        self.lower += 1

    def action_log(self) -> None:
        """Change the vertical axis."""
        self.logarithmic = not self.logarithmic

    def action_epochs(self) -> None:
        """Average over epochs or not."""
        self.epochs = not self.epochs

    def action_alarm(self) -> None:
        """Zoom to the alarm, or back."""
        if self.alarm is None:
            self.notify(tr("There is no alarm in this run."), markup=False)
            return
        first, last = self.extent or (0.0, 1.0)
        near = max((last - first) * 0.02, 25.0)
        wanted = (self.alarm - 2 * near, self.alarm + near)
        self.view = None if self.view == wanted else wanted

    def action_whole(self) -> None:
        """Show and follow the whole run."""
        self.view, self.cursor = None, None

    def action_zoom(self, factor: float) -> None:
        """Show ``factor`` times as many steps round the cursor or the middle."""
        low, high = self.loss_plot.shown()
        middle = (low + high) / 2 if self.cursor is None else self.cursor
        half = max((high - low) * factor / 2, 4.0)
        self.view = self._within(middle - half, middle + half)

    def action_pan(self, share: float) -> None:
        """Move by a share of the steps shown."""
        low, high = self.loss_plot.shown()
        move = share * (high - low)
        self.view = self._within(low + move, high + move)

    def _within(self, low: float, high: float) -> tuple[float, float] | None:
        first, last = self.extent or (0.0, 1.0)
        if high - low >= last - first:
            return None
        shift = max(first - low, 0.0) - max(high - last, 0.0)
        return low + shift, high + shift

    def action_point(self, direction: int) -> None:
        """Move the cursor by one column of the plot."""
        low, high = self.loss_plot.shown()
        column = (high - low) / max(self.loss_plot.size.width - 7, 1)
        step = (high if self.cursor is None else self.cursor) + direction * column
        self.cursor = min(max(step, low), high)
