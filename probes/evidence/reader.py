"""Reading evidence: follow a file that still grows, or take a whole run as columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .rundir import Alarm, RunDirectory, RunManifest
from .schema import (
    SCHEMA_VERSION,
    Eval,
    Event,
    EvidenceError,
    Gauge,
    Header,
    Record,
    Step,
    Value,
    decode,
    decode_lines,
)

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

IntArray: TypeAlias = "NDArray[np.int64]"
FloatArray: TypeAlias = "NDArray[np.float64]"

_BLOCK = 1 << 22


class Follower:
    """Reads one evidence file as it grows.

    A torn last line waits for its rest; a line that is broken for good is counted in ``damaged``.
    The recorder may replace the file by a thinned one: that is noticed by its inode, and reading
    starts over with ``restarted`` raised for the caller to clear.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self.restarted = False
        self._offset = 0
        self._inode: int | None = None

    def poll(self) -> list[Record]:
        """Return the records that came since the last call.

        Raises:
            EvidenceError: the file was written by a later, incompatible version.
        """
        try:
            stream = self.path.open("rb")
        except FileNotFoundError:
            return []
        records: list[Record] = []
        with stream:
            self._notice_replacement(stream.fileno())
            stream.seek(self._offset)
            while block := stream.read(_BLOCK):
                whole = block.rfind(b"\n") + 1
                if not whole:
                    block += stream.readline()
                    whole = len(block) if block.endswith(b"\n") else 0
                if not whole:
                    break
                records += self._decode(block[:whole])
                self._offset += whole
                stream.seek(self._offset)
        return records

    def _notice_replacement(self, descriptor: int) -> None:
        import os

        status = os.fstat(descriptor)
        if self._inode is not None and (status.st_ino != self._inode or status.st_size < self._offset):
            self._offset = 0
            self.restarted = True
        self._inode = status.st_ino

    def _decode(self, block: bytes) -> list[Record]:
        try:
            records = decode_lines(block)
        except EvidenceError:
            records = self._decode_singly(block)
        for record in records:
            if isinstance(record, Header) and record.schema > SCHEMA_VERSION:
                raise EvidenceError(
                    f"{self.path}: schema {record.schema} is newer than this spikelore reads "
                    f"(up to {SCHEMA_VERSION}); upgrade spikelore"
                )
        return records

    def _decode_singly(self, block: bytes) -> list[Record]:
        records = []
        for line in block.splitlines():
            try:
                records.append(decode(line))
            except EvidenceError:
                self.damaged += 1
        return records


@dataclass(frozen=True)
class Series:
    """One quantity over steps.

    Attributes:
        step: int64 [n], ascending.
        value: float64 [n]; NaN and infinities are measurements, steps without one are absent.
        epoch: float64 [n]; NaN where unknown.
    """

    step: IntArray
    value: FloatArray
    epoch: FloatArray

    def __len__(self) -> int:
        return len(self.step)

    def between(self, first: int, last: int) -> Series:
        """Return the part with ``first <= step <= last``."""
        low, high = np.searchsorted(self.step, [first, last + 1])
        return Series(self.step[low:high], self.value[low:high], self.epoch[low:high])


@dataclass
class RankEvidence:
    """All records of one rank, in the order written."""

    rank: int
    headers: list[Header] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    evals: list[Eval] = field(default_factory=list)
    gauges: list[Gauge] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    damaged: int = 0
    _cache: dict[tuple[str, str], Series] = field(default_factory=dict, repr=False)

    def add(self, records: Iterable[Record]) -> None:
        """Take in more records."""
        homes: dict[type, list[Any]] = {
            Header: self.headers,
            Step: self.steps,
            Eval: self.evals,
            Gauge: self.gauges,
            Event: self.events,
        }
        for record in records:
            homes[type(record)].append(record)
        self._cache.clear()

    def series(self, name: str, kind: str = "step") -> Series:
        """Return a scalar quantity as numbers; ``kind`` is ``step``, ``eval`` or ``gauge``."""
        key = (kind, name)
        if key not in self._cache:
            self._cache[key] = self._series(name, kind)
        return self._cache[key]

    def _series(self, name: str, kind: str) -> Series:
        steps, values, epochs = [], [], []
        nan = float("nan")
        for record in self._records(kind):
            value = record.v.get(name)
            if isinstance(value, int | float):
                steps.append(record.step)
                values.append(value)
                epoch = getattr(record, "epoch", None)
                epochs.append(nan if epoch is None else epoch)
        return Series(
            np.array(steps, dtype=np.int64),
            np.array(values, dtype=np.float64),
            np.array(epochs, dtype=np.float64),
        )

    def values(self, name: str, kind: str = "step") -> list[tuple[int, Value]]:
        """Return (step, value) of any quantity, lists and texts too."""
        return [(record.step, record.v[name]) for record in self._records(kind) if name in record.v]

    def names(self, kind: str = "step") -> list[str]:
        """Return every quantity recorded, sorted."""
        return sorted({name for record in self._records(kind) for name in record.v})

    def events_named(self, name: str) -> list[Event]:
        """Return the events of one name, in order."""
        return [event for event in self.events if event.name == name]

    def _records(self, kind: str) -> list[Step] | list[Eval] | list[Gauge]:
        if kind == "step":
            return self.steps
        return self.evals if kind == "eval" else self.gauges

    def frame(self, kind: str = "step") -> pd.DataFrame:
        """Return the records as a table, one row each, index ``step``."""
        import pandas as pd

        rows = [{"step": r.step, "time": r.time, **r.v} for r in self._records(kind)]
        return pd.DataFrame(rows).set_index("step") if rows else pd.DataFrame()


class RunEvidence:
    """A run's evidence in memory, refreshed by `poll`.

    Args:
        directory: the run directory, or its path.

    Raises:
        EvidenceError: the path is no run directory.
    """

    def __init__(self, directory: RunDirectory | Path | str) -> None:
        self.directory = directory if isinstance(directory, RunDirectory) else RunDirectory.open(directory)
        self.ranks: dict[int, RankEvidence] = {}
        self._followers: dict[Path, tuple[int, Follower]] = {}

    @classmethod
    def load(cls, directory: RunDirectory | Path | str) -> RunEvidence:
        """Return the run with all that is written so far."""
        run = cls(directory)
        run.poll()
        return run

    @classmethod
    def in_memory(cls, manifest: RunManifest, ranks: Iterable[RankEvidence]) -> RunEvidence:
        """Return a run that lies in no directory; it has no alarms and never changes."""
        run = cls(RunDirectory(f"{manifest.id} (in memory)"))
        run.manifest = manifest
        run.ranks = {rank.rank: rank for rank in ranks}
        return run

    @cached_property
    def manifest(self) -> RunManifest:
        """The manifest as it was at first use."""
        return self.directory.manifest()

    @property
    def alarms(self) -> list[Alarm]:
        """Alarms raised so far."""
        return self.directory.alarms()

    @property
    def primary(self) -> RankEvidence:
        """The lowest rank seen; empty when there is no evidence yet."""
        return self.ranks[min(self.ranks)] if self.ranks else RankEvidence(0)

    def poll(self) -> int:
        """Read what came since the last call and return the number of new records."""
        count = 0
        for rank, _, path in self.directory.evidence_files():
            if path not in self._followers:
                self._followers[path] = (rank, Follower(path))
        for rank, follower in self._followers.values():
            records = follower.poll()
            if follower.restarted:
                follower.restarted = False
                return self._reload()
            if records:
                evidence = self.ranks.setdefault(rank, RankEvidence(rank))
                evidence.add(records)
                evidence.damaged = sum(f.damaged for r, f in self._followers.values() if r == rank)
                count += len(records)
        return count

    def _reload(self) -> int:
        """Start over after the recorder thinned a file: steps already read would count twice."""
        self.ranks.clear()
        self._followers.clear()
        return self.poll()
