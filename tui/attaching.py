"""Probes into a running process and out of it again."""

from __future__ import annotations

from pathlib import Path

from ..probes.evidence import RunDirectory


def attach(pid: int, run_dir: Path | None) -> RunDirectory:
    """Attach to a process and return the run that it is now recorded in.

    Raises:
        AttachError: the process cannot be attached to; the message says why and what would help.
    """
    from ..probes.attach import attach as put_in

    return put_in(pid, run_dir)


def detach(pid: int) -> None:
    """Take the probes out of a process; the job goes on.

    Raises:
        AttachError: nothing of ours is in that process, or it does not answer.
    """
    from ..probes.attach import detach as take_out

    take_out(pid)
