"""The evidence file of an import: a stream of ascending steps whose tail can be taken back."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from operator import attrgetter

from ..evidence import SCHEMA_VERSION, Eval, Event, Header, RunDirectory, Step, encode
from ..evidence.schema import decode_lines

Point = Step | Eval

_FLUSH = 8192
_KEEP = 1024
"""Points held back from the file, so that a late one can be put in its place."""

_by_step = attrgetter("step")


class EvidenceWriter:
    """Writes points in ascending steps.

    Args:
        directory: a run directory without evidence.
        run: the run's id.
    """

    def __init__(self, directory: RunDirectory, run: str) -> None:
        self._path = directory.new_evidence_file(0)
        self._superseded = directory.path / "superseded.jsonl"
        self._stream = self._path.open("r+b")
        self._stream.write(encode(Header(schema=SCHEMA_VERSION, run=run)))
        self._blocks: list[tuple[int, int]] = []
        self._buffer: deque[Point] = deque()

    def add(self, point: Point) -> None:
        """Write a point whose step is no smaller than that of the last."""
        self._buffer.append(point)
        if len(self._buffer) > _FLUSH:
            self._flush(_KEEP)

    def insert(self, point: Point) -> bool:
        """Put a late point in its place; False where that is written already."""
        if self._blocks and (not self._buffer or point.step < self._buffer[0].step):
            return False
        points = list(self._buffer)
        points.insert(bisect_right(points, point.step, key=_by_step), point)
        self._buffer = deque(points)
        return True

    def has_recent_step(self, step: int) -> bool:
        """Tell whether a training loss of this step is among the points that were not yet flushed."""
        for point in reversed(self._buffer):
            if point.step < step:
                return False
            if point.step == step and type(point) is Step and "loss" in point.v:
                return True
        return False

    @property
    def last_step(self) -> int:
        """Step of the last point, 0 before the first."""
        if self._buffer:
            return self._buffer[-1].step
        return self._blocks[-1][1] if self._blocks else 0

    def cut(self, step: int) -> list[Point]:
        """Take back the points from ``step`` on and return them."""
        kept = [point for point in self._buffer if point.step < step]
        gone = [point for point in self._buffer if point.step >= step]
        while self._blocks and self._blocks[-1][1] >= step:
            offset, _ = self._blocks.pop()
            self._stream.seek(offset)
            block = [p for p in decode_lines(self._stream.read()) if isinstance(p, Step | Eval)]
            self._stream.seek(offset)
            self._stream.truncate()
            kept = [point for point in block if point.step < step] + kept
            gone = [point for point in block if point.step >= step] + gone
        self._buffer = deque(kept)
        return gone

    def set_aside(self, points: list[Point], segment: int) -> None:
        """Keep points that were taken back in ``superseded.jsonl``, with the segment that they were of."""
        with self._superseded.open("ab") as stream:
            for point in points:
                point.v["extra/segment"] = segment
                stream.write(encode(point))

    def _flush(self, keep: int) -> None:
        count = len(self._buffer) - keep
        if count <= 0:
            return
        points = [self._buffer.popleft() for _ in range(count)]
        self._blocks.append((self._stream.tell(), max(point.step for point in points)))
        self._stream.write(b"".join(map(encode, points)))

    def take_back_inferred(self, name: str) -> None:
        """Write the evidence again without the inferred values of a quantity."""
        self._flush(0)
        self._stream.flush()
        fresh = self._path.with_suffix(".part")
        with self._path.open("rb") as old, fresh.open("wb") as new:
            for line in old:
                for record in decode_lines(line):
                    if isinstance(record, Step | Eval) and record.v.pop(f"extra/{name}_inferred", None):
                        record.v.pop(name, None)
                    new.write(encode(record))
        self._stream.close()
        fresh.replace(self._path)
        self._stream = self._path.open("r+b")
        self._stream.seek(0, 2)

    def close(self, events: list[Event]) -> None:
        """Write what is held back and the events, and close the file."""
        self._flush(0)
        self._stream.write(b"".join(map(encode, events)))
        self._stream.close()

    def abandon(self) -> None:
        """Close the file as it is."""
        self._stream.close()
