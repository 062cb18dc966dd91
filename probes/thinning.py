"""Keeps an evidence file bounded: older steps are thinned to every second one, again and again.

Which steps stay depends on their number alone, a power of two, so that steps on which the sampled
sensors ran, which are multiples of powers of two as well, outlive their neighbours.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

_STEP = b'{"k":"step","step":'
_GAUGE = b'{"k":"gauge","step":'
_SLICE_BYTES = 1 << 18
PROTECTED_STEPS = 400
"""Steps kept whole on either side of an alarm."""
_MAX_ALARMS = 16


class Thinner:
    """Rewrites one file beside itself, slice by slice, and replaces it by a rename.

    Args:
        path: the evidence file.
        limit: bytes above which it is thinned.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.thin")
        self._limit = limit
        self._threshold = limit
        self._cutoffs: list[int] = []
        self._copied = 0

    def needed(self, size: int) -> bool:
        """Say whether a file of ``size`` bytes shall be thinned now."""
        return size > self._threshold

    def slices(self, alarms: Sequence[int]) -> Iterator[None]:
        """Copy what stays, a slice each time: the caller pauses in between.

        Raises:
            OSError: the disk refuses the copy; the file itself is untouched.
        """
        size = self._path.stat().st_size
        cutoff = self._step_at(size * 3 // 4)
        if cutoff is not None:
            self._cutoffs.append(cutoff)
        protected = sorted(alarms)[-_MAX_ALARMS:]
        self._copied = 0
        with self._path.open("rb") as source, self._temporary.open("wb") as target:
            while self._copied < size and (block := source.read(min(_SLICE_BYTES, size - self._copied))):
                block += source.readline() if not block.endswith(b"\n") else b""
                self._copied += len(block)
                target.write(b"".join(x for x in block.splitlines(True) if self._stays(x, protected)))
                yield

    def finish(self) -> None:
        """Add what was written meanwhile and put the copy in the file's place; no one may write now."""
        with self._path.open("rb") as source, self._temporary.open("ab") as target:
            source.seek(self._copied)
            while block := source.read(_SLICE_BYTES):
                target.write(block)
        before, after = self._path.stat().st_size, self._temporary.stat().st_size
        os.replace(self._temporary, self._path)
        # Evidence that cannot be thinned must not make every later line start a new attempt.
        self._threshold = self._limit if after < 0.9 * before else max(self._limit, int(after * 1.1))

    def give_up(self) -> None:
        """Drop the copy, and wait until the file has grown a good deal before trying again."""
        self._temporary.unlink(missing_ok=True)
        self._threshold = int(self._threshold * 1.5)

    def _step_at(self, offset: int) -> int | None:
        """Return the step of the first step record behind ``offset``."""
        with self._path.open("rb") as source:
            source.seek(offset)
            source.readline()
            for line in source:
                if line.startswith(_STEP):
                    return _number(line, _STEP)
        return None

    def _stays(self, line: bytes, protected: list[int]) -> bool:
        tag = _STEP if line.startswith(_STEP) else _GAUGE if line.startswith(_GAUGE) else None
        if tag is None:
            return True
        step = _number(line, tag)
        # Gauges come by time, several to a slow step, so their number says nothing: they stay if near.
        stride = 1 << sum(step < cutoff for cutoff in self._cutoffs)
        return step % stride == 0 or _near(step, protected)


def _number(line: bytes, tag: bytes) -> int:
    end = len(tag)
    while end < len(line) and line[end] in b"-0123456789":
        end += 1
    return int(line[len(tag) : end])


def _near(step: int, protected: list[int]) -> bool:
    place = bisect_left(protected, step - PROTECTED_STEPS)
    return place < len(protected) and protected[place] <= step + PROTECTED_STEPS
