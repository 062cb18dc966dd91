"""The error that every part of the case library raises."""

from __future__ import annotations


class CaseError(Exception):
    """What the case library cannot do: the message names the place, the problem and what is valid."""
