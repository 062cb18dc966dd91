"""The bar that says how certain a cause is: length first, colour only as a help."""

from __future__ import annotations

from textual.content import Content

from ..numbers import percent


def bar(share: float, width: int = 8) -> Content:
    """Return a bar and its percentage."""
    share = min(max(share, 0.0), 1.0)
    halves = round(share * 2 * width)
    full, half = divmod(halves, 2)
    return Content.assemble(
        ("━" * full + "╸" * half, colour(share)),
        ("─" * (width - full - half), "$foreground 20%"),
        (f" {percent(share):>5}", "bold" if share >= 0.5 else ""),
    )


def colour(share: float) -> str:
    """Return the bar's colour: strong suspicion, suspicion, possibility."""
    if share >= 0.75:
        return "$plot-alarm"
    return "$plot-val" if share >= 0.4 else "$plot-train"
