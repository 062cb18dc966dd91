"""Finds loss spikes: sudden, synchronous, persistent; and says what else a curve shows."""

from .assess import assess
from .changes import Jump, jump_at
from .curve import Curve, Scale
from .finding import PATTERNS, Change, Finding, Onset
from .online import OnlineDetector, Signal

__all__ = [
    "PATTERNS",
    "Change",
    "Curve",
    "Finding",
    "Jump",
    "OnlineDetector",
    "Onset",
    "Scale",
    "Signal",
    "assess",
    "jump_at",
]
