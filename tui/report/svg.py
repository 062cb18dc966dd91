"""Plots as inline SVG: no script, no font, colours by CSS classes of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from ..widgets import braille, scale
from ..widgets.drawing import Line

WIDTH, HEIGHT = 860, 260
LEFT, RIGHT, TOP, BOTTOM = 58, 8, 12, 26
COLUMNS = 400
"""Parts of the width; each shows the lowest and the highest value in it."""


class _Axes:
    """From steps and values to places in the picture."""

    def __init__(self, view: tuple[float, float], span: tuple[float, float], logarithmic: bool) -> None:
        self.view, self.span, self.logarithmic = view, span, logarithmic

    def x(self, step: float) -> float:
        low, high = self.view
        return LEFT + (step - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        low, high = self.span
        return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)


def plot(
    title: str,
    lines: Sequence[Line],
    alarm: float | None,
    logarithmic: bool = False,
    view: tuple[float, float] | None = None,
) -> str:
    """Return a figure of curves over steps, the alarm marked; empty text where nothing was recorded.

    Args:
        title: heading and accessible name.
        lines: the curves.
        alarm: step of the alarm.
        logarithmic: draw the vertical axis in decades.
        view: first and last step; None takes them from the curves.
    """
    lines = [line for line in lines if len(line.x)]
    if not lines:
        return ""
    view = view or extent(lines)
    spans = [_spans(line, view, logarithmic) for line in lines]
    axes = _Axes(view, scale.span(np.concatenate([np.r_[s.low, s.high] for s in spans])), logarithmic)
    body = [*_grid(axes), *_alarm(axes, alarm)]
    for line, covered in zip(lines, spans, strict=True):
        body += _curve(line.kind, covered, axes)
    legend = "".join(
        f'<span class="key {line.kind}">{escape(line.label)}</span>' for line in lines if line.label
    )
    frame = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
    return f"<figure><figcaption>{escape(title)} {legend}</figcaption>{frame}{''.join(body)}</svg></figure>"


def extent(lines: Sequence[Line]) -> tuple[float, float]:
    """Return the first and the last step of some curves."""
    ends = [(float(line.x[0]), float(line.x[-1])) for line in lines if len(line.x)]
    low, high = min((first for first, _ in ends), default=0.0), max((last for _, last in ends), default=1.0)
    return low, high if high > low else low + 1


def _spans(line: Line, view: tuple[float, float], logarithmic: bool) -> braille.Spans:
    found = braille.decimate(
        line.x, np.where(line.y > 0, line.y, np.nan) if logarithmic else line.y, view, COLUMNS
    )
    if logarithmic:
        broken = braille.decimate(line.x, line.y, view, COLUMNS).broken
        found = braille.Spans(np.log10(found.low), np.log10(found.high), broken)
    return found


def _grid(axes: _Axes) -> list[str]:
    parts = []
    find = scale.log_ticks if axes.logarithmic else scale.ticks
    for value in find(*axes.span, 5):
        y = axes.y(value)
        text = scale.label(10.0**value if axes.logarithmic else value)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    return parts + [
        f'<text x="{axes.x(value):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{scale.label(value)}</text>'
        for value in scale.ticks(*axes.view, 8)
    ]


def _alarm(axes: _Axes, alarm: float | None) -> list[str]:
    if alarm is None or not axes.view[0] <= alarm <= axes.view[1]:
        return []
    x = axes.x(alarm)
    width, height = WIDTH - RIGHT - x, HEIGHT - TOP - BOTTOM
    return [
        f'<rect class="after" x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{height}"/>',
        f'<path class="alarm" d="M{x:.1f} {TOP}v{height}"/>',
    ]


def _curve(kind: str, spans: braille.Spans, axes: _Axes) -> list[str]:
    known = np.flatnonzero(~np.isnan(spans.low))
    centres = axes.view[0] + (known + 0.5) * (axes.view[1] - axes.view[0]) / COLUMNS
    upper = [f"{axes.x(x):.1f} {axes.y(y):.1f}" for x, y in zip(centres, spans.high[known], strict=True)]
    lower = [f"{axes.x(x):.1f} {axes.y(y):.1f}" for x, y in zip(centres, spans.low[known], strict=True)]
    middle = (spans.low[known] + spans.high[known]) / 2
    line = [f"{axes.x(x):.1f} {axes.y(y):.1f}" for x, y in zip(centres, middle, strict=True)]
    parts = [f'<path class="band {kind}" d="M{"L".join([*upper, *reversed(lower)])}Z"/>'] if upper else []
    parts += [f'<path class="line {kind}" d="M{"L".join(line)}"/>'] if line else []
    width = (axes.view[1] - axes.view[0]) / COLUMNS
    for column in np.flatnonzero(spans.broken):
        x = axes.x(axes.view[0] + (column + 0.5) * width)
        parts.append(f'<path class="alarm" d="M{x - 3:.1f} {TOP}l6 6m0 -6l-6 6"/>')
    return parts
