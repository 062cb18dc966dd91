"""Where records go: held back until the process proves that it trains, then to a file of its own.

A launcher, a data-loading worker or a helper process imports torch too; none of them may leave a file.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from ..evidence import SCHEMA_VERSION, Event, EvidenceError, Header, Record, RunDirectory
from ..evidence.sessions import steps_before
from ..recorder import Recorder
from .quick import QuickStep
from .settings import Settings

_HELD = 2000
_WRITE_TIMEOUT = 5.0


class Sink:
    """Evidence output of one process.

    Args:
        settings: names the run directory.
        on_alarm: called, on another thread, with the step of each alarm of the watcher.
    """

    def __init__(self, settings: Settings, on_alarm: Callable[[int], None]) -> None:
        self.rank = 0
        self.world = 1
        self._settings = settings
        self._on_alarm = on_alarm
        self._held: list[Record | QuickStep] = []
        self._recorder: Recorder | None = None
        self._failed = False
        self.first_step = 0
        """Steps of the run before this process: a job that starts itself again goes on counting."""

    @property
    def claimed(self) -> bool:
        """Whether this process writes evidence."""
        return self._recorder is not None

    def write(self, record: Record | QuickStep) -> None:
        """Write a record, or hold it until the file is claimed."""
        if self._recorder is not None:
            self._recorder.write(record)
        elif len(self._held) < _HELD and not self._failed:
            self._held.append(record)

    def claim(self) -> bool:
        """Open this process's evidence file; False when that is impossible or was done before."""
        if self._recorder is not None or self._failed:
            return False
        try:
            self._recorder = self._open()
        except (OSError, EvidenceError) as error:
            from .boot import note_failure

            self._failed = True
            note_failure(f"no evidence: {error}")
            return False
        for record in self._held:
            if not isinstance(record, Header):
                record.step += self.first_step
            self._recorder.write(record)
        self._held.clear()
        return True

    def _open(self) -> Recorder:
        directory = RunDirectory.open(self._settings.run)
        self.rank, self.world, local = place_in_world()
        header = Header(
            schema=SCHEMA_VERSION,
            run=directory.manifest().id,
            rank=self.rank,
            world=self.world,
            local_rank=local,
            pid=os.getpid(),
            time=time.time(),
        )
        path = directory.new_evidence_file(self.rank)
        self.first_step = steps_before(directory, self.rank, path)
        alarms = directory.alarms_path
        return Recorder(path, header, limit=self._settings.limit, alarms=alarms, on_alarm=self._on_alarm)

    def event(self, name: str, step: int, data: dict[str, Any]) -> None:
        """Write an event."""
        self.write(Event(name, step, time.time(), data))

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._recorder is not None:
            self._recorder.close(_WRITE_TIMEOUT)

    def forked(self) -> None:
        """In a forked child: the parent's file is not ours."""
        if self._recorder is not None:
            self._recorder.abandon()
            self._recorder = None
        self._held.clear()
        self._failed = False


def place_in_world() -> tuple[int, int, int]:
    """Return (rank, world size, local rank) from the process group, else from the environment."""
    rank, world = _variable("RANK", "SLURM_PROCID"), _variable("WORLD_SIZE", "SLURM_NTASKS", default=1)
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        rank, world = distributed.get_rank(), distributed.get_world_size()
    return rank, world, _variable("LOCAL_RANK", "SLURM_LOCALID")


def _variable(*names: str, default: int = 0) -> int:
    for name in names:
        text = os.environ.get(name, "")
        if text.isdigit():
            return int(text)
    return default
