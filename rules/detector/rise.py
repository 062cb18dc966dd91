"""A slow rise, as found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rise:
    """A slow rise from the best level to the end.

    Attributes:
        pattern: which one.
        index: record of the curve where the best level was.
        best: that level.
        final: level at the end.
        height: of ``final`` above ``best``.
        series: ``train`` or ``val``.
    """

    pattern: str
    index: int
    best: float
    final: float
    height: float
    series: str
