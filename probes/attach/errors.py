"""Why a process cannot be attached to."""

from __future__ import annotations


class AttachError(Exception):
    """The process cannot be attached to or let go of; the message names it, the reason and the remedy."""

    def __init__(self, pid: int, reason: str, remedy: str) -> None:
        self.pid = pid
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"process {pid}: {reason}; {remedy}")
