"""One run in several processes, one after the other: where the steps of the next one begin."""

from __future__ import annotations

import os
from pathlib import Path

from .rundir import RunDirectory
from .schema import EvidenceError, Header, Record, Step, decode

_TAIL_BYTES = 1 << 18


def steps_before(run: RunDirectory, rank: int, path: Path) -> int:
    """Return how many optimizer steps a rank made in processes before the one that writes ``path``.

    All ranks go by the lowest one, whose count of lost last steps is then that of all. A process that still
    lives trains beside this one, not before it, and nothing is counted then; unless it has started this one,
    as a script does that runs itself again for its next part.
    """
    files = list(run.evidence_files())
    part = next((part for r, part, found in files if r == rank and found == path), 0)
    leader = min((r for r, _, _ in files), default=rank)
    earlier = [found for r, p, found in files if r == leader and p < part]
    return 0 if not earlier or _lives(earlier[-1]) else _steps_of(earlier[-1])


def _lives(path: Path) -> bool:
    """Whether the process that wrote a file may still write, as far as this machine can tell."""
    with path.open("rb") as stream:
        header = _decoded(stream.readline())
    pid = header.pid if isinstance(header, Header) else 0
    return pid != 0 and pid not in _ancestry() and Path(f"/proc/{pid}").exists()


def _ancestry() -> set[int]:
    """Return this process and those that it was started by, as far as the system tells."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 1 and pid not in found:
        found.add(pid)
        try:
            # The name before the parent's number may hold spaces and brackets.
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
    return found


def _steps_of(path: Path) -> int:
    with path.open("rb") as stream:
        stream.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
        records = [_decoded(line) for line in stream.read().splitlines()]
    steps = [r.step + isinstance(r, Step) for r in records if r is not None and not isinstance(r, Header)]
    return max(steps, default=0)


def _decoded(line: bytes) -> Record | None:
    try:
        return decode(line)
    except EvidenceError:
        return None
