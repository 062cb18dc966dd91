"""Colours: dark, light, and one of each that colour-blind people can tell apart.

The colour-blind themes use the palette of Okabe and Ito, where blue means good and vermilion bad.
"""

from __future__ import annotations

from textual.theme import Theme


def _theme(name: str, dark: bool, base: tuple[str, str, str, str], plot: dict[str, str], good: str) -> Theme:
    foreground, background, surface, panel = base
    return Theme(
        name=name,
        dark=dark,
        primary=plot["train"],
        secondary=plot["gradient"],
        accent=plot["train"],
        warning=plot["val"],
        error=plot["alarm"],
        success=good,
        foreground=foreground,
        background=background,
        surface=surface,
        panel=panel,
        variables={
            **{f"plot-{series}": colour for series, colour in plot.items()},
            "footer-key-foreground": plot["train"],
            "footer-background": background,
            "footer-item-background": background,
            "footer-description-background": background,
            "border": panel,
            "border-blurred": panel,
            "block-cursor-text-style": "none",
        },
    )


_DARK = ("#c8d0dc", "#101419", "#161b22", "#242b35")
_LIGHT = ("#24292f", "#fcfbf9", "#f4f2ee", "#dedad2")

THEMES = (
    _theme(
        "spikelore-dark",
        True,
        _DARK,
        {"train": "#7aa2f7", "val": "#e5a45c", "gradient": "#b392f0", "rate": "#73c991", "alarm": "#f0717c"},
        "#73c991",
    ),
    _theme(
        "spikelore-light",
        False,
        _LIGHT,
        {"train": "#2360b8", "val": "#a85c00", "gradient": "#7540c4", "rate": "#1f7a45", "alarm": "#c2223a"},
        "#1f7a45",
    ),
    _theme(
        "spikelore-dark-colourblind",
        True,
        _DARK,
        {"train": "#56b4e9", "val": "#f0e442", "gradient": "#cc79a7", "rate": "#2fbf97", "alarm": "#f2761b"},
        "#56b4e9",
    ),
    _theme(
        "spikelore-light-colourblind",
        False,
        _LIGHT,
        {"train": "#0072b2", "val": "#7a6f00", "gradient": "#a3497d", "rate": "#00765a", "alarm": "#c24a00"},
        "#0072b2",
    ),
)

DEFAULT = "spikelore-dark"


def plot_colours(theme: Theme) -> dict[str, str]:
    """Return the colours of the curves in a theme that does not name them."""
    return {
        "plot-train": theme.primary,
        "plot-val": theme.warning or theme.primary,
        "plot-gradient": theme.secondary or theme.primary,
        "plot-rate": theme.success or theme.primary,
        "plot-alarm": theme.error or "red",
    }
