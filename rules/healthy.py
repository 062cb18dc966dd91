"""What rules would have seen in a run that was healthy, had its hardest moments been taken for a spike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .facts.extract import extract

if TYPE_CHECKING:
    from ..probes.evidence.reader import FloatArray, RunEvidence
    from .detector import Finding
    from .facts.registry import FactSet

SHARES = (0.5, 0.85)
"""Where in a run, beside its hardest step, a window is taken."""
LEAST = 40
"""Losses that a run needs; a shorter one has no baseline to speak of."""
_SPAN = 16


def windows(run: RunEvidence, finding: Finding) -> list[tuple[int, FactSet]]:
    """Return steps of a healthy run, in order, each with the facts as if the loss had jumped there.

    Taken are the step whose loss stands furthest above the sixteen before it, which is the likeliest to
    be mistaken, and two ordinary ones. Empty for a run of fewer than forty losses.
    """
    loss = run.primary.series("loss")
    if len(loss) < LEAST:
        return []
    places = {_hardest(loss.value), *(int(share * len(loss)) for share in SHARES)}
    return [(step, extract(run, finding, step)) for step in sorted(int(loss.step[place]) for place in places)]


def _hardest(values: FloatArray) -> int:
    """Return the index of the value that stands furthest above the largest of those before it."""
    before = np.lib.stride_tricks.sliding_window_view(values[:-1], _SPAN).max(1)
    return _SPAN + int(np.argmax(values[_SPAN:] - before))
