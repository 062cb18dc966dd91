"""The demonstration: a real small training job with a fault of choice built in."""

from __future__ import annotations

import sys

DEFAULT_CAUSE = "strategy.lr-surge"


def causes() -> dict[str, str]:
    """Return the causes that the job can build in, each with the bug in one sentence."""
    from .catalogue import BUGS

    return dict(BUGS)


def command(cause: str, seed: int = 0, pace: float = 0.008) -> list[str]:
    """Return the command that trains with ``cause`` built in.

    Args:
        cause: one of `causes`, or ``healthy``.
        seed: of data order and initial weights.
        pace: seconds of rest after each step, so that the run can be watched.

    Raises:
        ValueError: the job cannot build that cause in; the message lists what it can.
    """
    known = causes()
    if cause not in known:
        raise ValueError(f"--cause {cause}: no such fault in the demo; valid are {', '.join(known)}")
    return [
        sys.executable,
        "-m",
        "spikelore.tui.demo.job",
        "--fault",
        cause,
        "--seed",
        str(seed),
        "--pace",
        str(pace),
    ]
