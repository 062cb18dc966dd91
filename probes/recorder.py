"""Appends evidence to one file from a training process, and never lets the job feel it.

The job's thread only appends a record to a queue. Another thread encodes and writes what has come, four
times a second, so a killed process loses less than half a second; encoding many records in one go costs
a fraction of encoding each amid the job's own work, whose data fill the caches.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from .evidence import Event, EvidenceError, Header, Record, encode
from .evidence.rundir import Alarm
from .thinning import Thinner

FLUSH_SECONDS = 0.25
BACKLOG = 50_000
"""Records held while the disk refuses them; older ones are given up first."""
RESERVE_BYTES = 8192
_SLICE_PAUSE = 0.01


class Pending(Protocol):
    """What becomes a record later, away from the job's thread."""

    def record(self) -> Record:
        """Return the record."""


class Recorder:
    """Writes the records of one rank.

    Args:
        path: the evidence file, already claimed and empty.
        header: its first record.
        limit: bytes the file may reach before older steps are thinned.
        alarms: the watcher's file; the steps round its alarms are kept whole.
        on_alarm: called on the writer's thread with the step of each new alarm.
    """

    def __init__(
        self,
        path: Path,
        header: Header,
        *,
        limit: int = 64 << 20,
        alarms: Path | None = None,
        on_alarm: Callable[[int], None] | None = None,
    ) -> None:
        self.path = path
        self.lost = 0
        """Records given up since the last ``evidence.lost`` event."""
        self._reason = ""
        self._records: deque[Record | Pending] = deque()
        self._lines: deque[bytes] = deque()
        self._alarms = _AlarmWatch(alarms, on_alarm)
        self._thinner = Thinner(path, limit)
        self._thinning: Iterator[None] | None = None
        self._writing = threading.Lock()
        self._stopped = threading.Event()
        self._step = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        self._reserve = _Reserve(path)
        self._records.append(header)
        self.flush()
        self._thread = threading.Thread(target=self._run, name="spikelore-writer", daemon=True)
        self._thread.start()

    def write(self, record: Record | Pending) -> None:
        """Take in one record, or what becomes one on the writer's thread.

        It must not change any more. Never raises and never waits.
        """
        records = self._records
        records.append(record)
        if len(records) % 64 == 0 and not self._thread.is_alive() and not self._stopped.is_set():
            # The writer's thread is gone, for whatever reason: the job's own thread takes over.
            self.flush()
        if len(records) > BACKLOG:
            records.popleft()
            self._give_up(1, self._reason or "the writer fell behind")

    def flush(self) -> bool:
        """Write out what is held; False when the disk refuses."""
        if not self._writing.acquire(blocking=False):
            return False
        try:
            return self._drain()
        finally:
            self._writing.release()

    def close(self, timeout: float = 5.0) -> None:
        """Write the rest and stop the thread; a second call does nothing."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        if not self.flush():
            self._note_loss()
        self._reserve.release()
        os.close(self._descriptor)

    def abandon(self) -> None:
        """Forget everything without a write: for a forked child, whose parent owns the file."""
        self._stopped.set()
        self._records.clear()
        self._lines.clear()
        os.close(self._descriptor)

    def _run(self) -> None:
        while not self._stopped.wait(_SLICE_PAUSE if self._thinning else FLUSH_SECONDS):
            self.flush()
            self._alarms.poll()
            self._thin()

    def _encode(self) -> None:
        """Turn records into lines; while the disk refuses them, the oldest lines make room."""
        while self._records:
            record = self._records.popleft()
            try:
                whole = record if isinstance(record, msgspec.Struct) else record.record()
                self._lines.append(encode(whole))
            except EvidenceError as error:
                self._give_up(1, str(error))
            self._step = getattr(record, "step", self._step)
            if len(self._lines) > BACKLOG:
                self._lines.popleft()
                self._give_up(1, self._reason)

    def _drain(self) -> bool:
        self._encode()
        while self._lines or self.lost:
            lines = [self._lines.popleft() for _ in range(min(len(self._lines), 1000))]
            lost = self.lost
            report = self._loss_line() if lost else b""
            block = report + b"".join(lines)
            done = self._append(block)
            if lost and done >= len(report):
                self.lost -= lost
            if done < len(block):
                written = max(0, block.count(b"\n", 0, done) - bool(lost))
                self._lines.extendleft(reversed(lines[written:]))
                return False
        return True

    def _append(self, block: bytes) -> int:
        """Write a block, or as many whole lines of it as fit; return the bytes written."""
        before = os.fstat(self._descriptor).st_size
        done = 0
        try:
            while done < len(block):
                done += os.write(self._descriptor, block[done:])
        except OSError as error:
            self._reason = f"{self.path}: {error.strerror}"
            whole = block.rfind(b"\n", 0, done) + 1
            if whole < done:
                os.ftruncate(self._descriptor, before + whole)
            self._note_trouble()
            return whole
        return done

    def _note_trouble(self) -> None:
        """Use the bytes kept in reserve to say that from here on evidence may be missing."""
        if self._reserve.release():
            try:
                os.write(self._descriptor, encode(self._loss_event(f"evidence is held back: {self._reason}")))
            except OSError:
                return
            self.lost = 0

    def _note_loss(self) -> None:
        """Last attempt at the end of the job to say how much could not be written."""
        self._give_up(len(self._lines), self._reason)
        self._lines.clear()
        self._append(self._loss_line())

    def _loss_line(self) -> bytes:
        return encode(self._loss_event(self._reason))

    def _loss_event(self, reason: str) -> Event:
        return Event("evidence.lost", self._step, time.time(), {"reason": reason, "count": self.lost})

    def _give_up(self, count: int, reason: str) -> None:
        self.lost += count
        self._reason = reason

    def _thin(self) -> None:
        if self._thinning is None:
            if not self._thinner.needed(os.fstat(self._descriptor).st_size):
                return
            self._thinning = self._thinner.slices(self._alarms.steps)
        try:
            next(self._thinning)
        except StopIteration:
            self._thinning = None
            self._swap()
        except OSError as error:
            self._thinning = None
            self._thinner.give_up()
            self._reason = f"{self.path}: cannot be thinned ({error.strerror})"

    def _swap(self) -> None:
        with self._writing:
            self._thinner.finish()
            os.close(self._descriptor)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND)


class _AlarmWatch:
    """Notices new lines of ``alarms.jsonl``, about once a second."""

    def __init__(self, path: Path | None, on_alarm: Callable[[int], None] | None) -> None:
        self.steps: list[int] = []
        self._path = path
        self._on_alarm = on_alarm
        self._size = 0
        self._next = 0.0

    def poll(self) -> None:
        if self._path is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 1.0
        try:
            if os.stat(self._path).st_size == self._size:
                return
            content = self._path.read_bytes()
        except OSError:
            return
        whole = content[self._size : content.rfind(b"\n") + 1]
        self._size += len(whole)
        for line in whole.splitlines():
            try:
                step = msgspec.json.decode(line, type=Alarm).step
            except msgspec.DecodeError:
                continue
            self.steps.append(step)
            if self._on_alarm:
                self._on_alarm(step)


class _Reserve:
    """A few kilobytes kept on the disk so that a full one can still be reported in the evidence."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f".{path.name}.reserve")
        try:
            self._path.write_bytes(b"\0" * RESERVE_BYTES)
        except OSError:
            return

    def release(self) -> bool:
        """Free the bytes; False when that was done before."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
