"""The evidence file of an import: a stream of ascending steps whose tail can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from ..evidence import SCHEMA_VERSION, Eval, Event, Header, RunDirectory, Step, encode
from ..evidence.schema import decode_lines

Point = Step | Eval

_FLUSH = 8192
_KEEP = 1024
"""Points held back from the file, so that a late one can be put in its place."""

_NOTHING = -(1 << 62)
"""Step below every other."""

_by_step = attrgetter("step")


class EvidenceWriter:
    """Writes points in ascending steps, whatever order they come in.

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
        self._buffer: list[Point] = []
        self._written = _NOTHING

    def add(self, point: Point) -> None:
        """Write a point; one that comes late is put in its place, or behind what is written already."""
        if point.step < self._written:
            point.v["extra/log_step"] = point.step
            point.step = self._written
        self._buffer.append(point)
        if len(self._buffer) > _FLUSH:
            self._flush(_KEEP)

    def extend(self, points: Sequence[Point]) -> None:
        """Write points in ascending steps that follow what is written."""
        if points and points[0].step < self._written:
            for point in points:
                self.add(point)
            return
        self._buffer += points
        if len(self._buffer) > _FLUSH:
            self._flush(_KEEP)

    def has_recent_step(self, step: int) -> bool:
        """Tell whether a training loss of this step is among the points that were not yet flushed."""
        return any(p.step == step and type(p) is Step and "loss" in p.v for p in self._buffer)

    @property
    def last_step(self) -> int:
        """Step of the last point, 0 before the first."""
        return max((point.step for point in self._buffer), default=max(self._written, 0))

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
        self._written = self._blocks[-1][1] if self._blocks else _NOTHING
        self._buffer = kept
        return gone

    def set_aside(self, points: list[Point], segment: int) -> None:
        """Keep points that were taken back in ``superseded.jsonl``, with the segment that they were of."""
        with self._superseded.open("ab") as stream:
            for point in points:
                point.v["extra/segment"] = segment
                stream.write(encode(point))

    def _flush(self, keep: int) -> None:
        self._buffer.sort(key=_by_step)
        points = self._buffer[: len(self._buffer) - keep]
        if not points:
            return
        del self._buffer[: len(points)]
        self._written = points[-1].step
        self._blocks.append((self._stream.tell(), self._written))
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
