"""A plot of curves over steps: braille lines, a marked alarm, a cursor, linear or logarithmic.

textual-plot and textual-plotext were tried: neither keeps the extremes of a column, shares a cell
between two curves, marks a stretch of steps or has a logarithmic axis, and a frame takes them ten
times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from ..language import tr
from ..numbers import number, times
from .drawing import GUTTER, PARTS, Drawing, Frame, Line, Marks


class Plot(Widget):
    """Curves with a title row, a vertical axis at the left and steps below."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"plot--{part}" for part in PARTS}
    DEFAULT_CSS = """
    Plot {
        height: 1fr;
        min-height: 4;
        & .plot--title { color: $foreground; text-style: bold; }
        & .plot--axis { color: $foreground 60%; }
        & .plot--grid { color: $foreground 14%; }
        & .plot--train { color: $plot-train; }
        & .plot--val { color: $plot-val; }
        & .plot--gradient { color: $plot-gradient; }
        & .plot--rate { color: $plot-rate; }
        & .plot--other { color: $plot-train; }
        & .plot--alarm { color: $plot-alarm; }
        & .plot--after { background: $plot-alarm 12%; }
        & .plot--window { background: $plot-train 10%; }
        & .plot--cursor { background: $foreground 20%; }
    }
    """

    view: reactive[tuple[float, float] | None] = reactive(None)
    """First and last step shown; None follows the whole run."""
    extent: reactive[tuple[float, float] | None] = reactive(None)
    """First and last step of the whole run; None takes them from the curves."""
    cursor: reactive[float | None] = reactive(None)
    """Step whose values the legend shows; None shows the latest."""
    logarithmic: reactive[bool] = reactive(False)
    """Whether the vertical axis is logarithmic."""
    alarm: reactive[float | None] = reactive(None)
    """Step of the alarm, marked by a line; everything behind it is tinted."""
    baseline: reactive[float | None] = reactive(None)
    """Level before the alarm, dashed; the legend says how many times that the curve is."""
    window: reactive[tuple[float, float] | None] = reactive(None)
    """First and last step of a tinted stretch."""

    @dataclass
    class Scrolled(Message):
        """The wheel was turned at a step: show ``factor`` times as many steps round it."""

        plot: Plot
        step: float
        factor: float

        @property
        def control(self) -> Plot:
            """The plot."""
            return self.plot

    @dataclass
    class Pointed(Message):
        """The mouse points at a step, or left (None)."""

        plot: Plot
        step: float | None

        @property
        def control(self) -> Plot:
            """The plot."""
            return self.plot

    def __init__(
        self, title: str, name: str | None = None, *, axis: bool = True, zooms: bool = False
    ) -> None:
        super().__init__(id=name)
        self.zooms = zooms
        self.title = title
        self.axis = axis
        self.lines: tuple[Line, ...] = ()
        self._frame: Frame | None = None
        self._inks: dict[str, Style] = {}

    def show(self, lines: Sequence[Line]) -> None:
        """Draw other curves, or more of the same."""
        self.lines = tuple(lines)
        self._redraw()

    def _redraw(self) -> None:
        self._frame = None
        self.refresh()

    def watch_view(self) -> None:
        """Draw another stretch."""
        self._redraw()

    watch_extent = watch_cursor = watch_logarithmic = watch_alarm = watch_view
    watch_baseline = watch_window = watch_view

    def notify_style_update(self) -> None:
        """Draw in the colours of another theme."""
        super().notify_style_update()
        self._inks.clear()
        self._redraw()

    def on_resize(self) -> None:
        """Draw at another size."""
        self._redraw()

    def shown(self) -> tuple[float, float]:
        """Return the first and the last step of the drawing."""
        if chosen := self.view or self.extent:
            return chosen
        ends = [(line.x[0], line.x[-1]) for line in self.lines if len(line.x)]
        if not ends:
            return 0.0, 1.0
        low, high = min(first for first, _ in ends), max(last for _, last in ends)
        return float(low), float(high if high > low else low + 1)

    def step_at(self, column: int) -> float | None:
        """Return the step under a column of the widget, None in the gutter."""
        width = self.size.width - GUTTER
        if column < GUTTER or width < 2:
            return None
        low, high = self.shown()
        return low + (column - GUTTER + 0.5) / width * (high - low)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Let the cursor follow the mouse."""
        self.post_message(self.Pointed(self, self.step_at(event.x)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Zoom in at the mouse."""
        self._scroll(event, 0.8)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Zoom out at the mouse."""
        self._scroll(event, 1.25)

    def _scroll(self, event: events.MouseEvent, factor: float) -> None:
        if self.zooms and (step := self.step_at(event.x)) is not None:
            event.stop()
            self.post_message(self.Scrolled(self, step, factor))

    def on_leave(self) -> None:
        """Show the latest values again."""
        self.post_message(self.Pointed(self, None))

    def render_line(self, y: int) -> Strip:
        """Return one row: the legend, then the drawing."""
        if y == 0:
            return self._legend(self.size.width)
        if self._frame is None:
            self._frame = self._draw()
        return self._frame.strip(y - 1)

    def _draw(self) -> Frame:
        marks = Marks(
            self.shown(), self.cursor, self.alarm, self.logarithmic, self.axis, self.baseline, self.window
        )
        inks = {part: self._style(part) for part in PARTS}
        return Drawing(self.lines, marks, (self.size.width, self.size.height - 1), inks).frame()

    def _legend(self, width: int) -> Strip:
        text = Text(self.title.ljust(GUTTER), style=self._style("title"))
        for line in self.lines:
            value = self._value(line)
            text.append("  ━ ", style=self._style(line.kind))
            text.append(f"{line.label} ", style=self._style("axis"))
            text.append(number(value), style=self._style("title"))
        text.append_text(self._notes())
        text.truncate(width, overflow="ellipsis", pad=True)
        segments = text.render(self.app.console)
        return Strip(segments, width).apply_style(self._style("base"))

    def _notes(self) -> Text:
        """Return the baseline with the ratio to it, and the cursor's step."""
        notes = Text()
        axis, title = self._style("axis"), self._style("title")
        if self.baseline is not None:
            notes.append(f"  ╌ {tr('before')} ", style=axis).append(number(self.baseline, 3), style=title)
            value = self._value(self.lines[0]) if self.lines else None
            if value is not None and self.baseline > 0:
                notes.append(f" ({times(value / self.baseline)})", style=axis)
        if self.cursor is not None:
            notes.append(f"  │ {tr('step')} ", style=axis).append(f"{self.cursor:,.0f}", style=title)
        return notes

    def _value(self, line: Line) -> float | None:
        if not len(line.x):
            return None
        if self.cursor is None:
            return float(line.y[-1])
        index = int(np.searchsorted(line.x, self.cursor, side="right")) - 1
        return float(line.y[max(index, 0)])

    def _style(self, part: str) -> Style:
        """Return a part's style with its translucent colours laid over the background."""
        if part not in self._inks:
            self._inks[part] = self._mixed(part)
        return self._inks[part]

    def _mixed(self, part: str) -> Style:
        under = self.background_colors[1]
        styles = self.get_component_styles(f"plot--{part}")
        over = under + styles.background
        ink = over + styles.color if styles.has_rule("color") else over + self.styles.color
        return Style(color=ink.rich_color, bgcolor=over.rich_color, bold=bool(styles.text_style.bold))
