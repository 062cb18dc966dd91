"""A curve as SVG text: no plotting library for one polyline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from .values import Loss

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 220, 64, 24, 26


def curve(step: Sequence[int], values: Sequence[Loss], onset: int | None, title: str) -> str:
    """Return an SVG of values over steps, the onset marked; non-finite values stand as crosses on top.

    The axis is logarithmic where the values span more than a factor of twenty.
    """
    points = [(at, float(v)) for at, v in zip(step, values, strict=True) if isinstance(v, float | int)]
    bad = [at for at, value in zip(step, values, strict=True) if isinstance(value, str)]
    box = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
    parts = [f"<svg {box}><title>{escape(title)}</title>", _text(_LEFT, 16, title, "start")]
    if not step:
        return "".join([*parts, "</svg>"])
    across = _Scale(float(step[0]), float(step[-1]), _LEFT, _WIDTH - 10)
    low, high = (min(v for _, v in points), max(v for _, v in points)) if points else (0.0, 1.0)
    logarithmic = low > 0 and high / low > 20
    up = _Scale(*((math.log(low), math.log(high)) if logarithmic else (low, high)), _HEIGHT - _BOTTOM, _TOP)

    def place(value: float) -> float:
        return up(math.log(value) if logarithmic else value)

    if onset is not None and step[0] <= onset <= step[-1]:
        x = across(onset)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" stroke="#d33"/>')
    path = " ".join(f"{across(at):.1f},{place(value):.1f}" for at, value in points)
    parts.append(f'<polyline fill="none" stroke="#36c" stroke-width="1.5" points="{path}"/>')
    parts += [_text(across(at), _TOP + 4, "x", "middle", "#d33") for at in bad]
    parts += [_text(_LEFT - 6, place(v) + 4, f"{v:.3g}", "end") for v in {low, high}] if points else []
    parts += [_text(across(at), _HEIGHT - 6, f"{at:,}", "middle") for at in {step[0], step[-1]}]
    return "".join([*parts, "</svg>"])


class _Scale:
    def __init__(self, low: float, high: float, first: float, last: float) -> None:
        self._low, self._first = low, first
        self._factor = (last - first) / (high - low) if high > low else 0.0

    def __call__(self, value: float) -> float:
        return self._first + (value - self._low) * self._factor


def _text(x: float, y: float, text: str, anchor: str, color: str = "#888") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="12" text-anchor="{anchor}" fill="{color}"'
    return f"<text {place}>{escape(text)}</text>"
