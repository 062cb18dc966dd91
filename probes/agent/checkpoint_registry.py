"""Hashes of checkpoints, kept apart from the user's files so that a later load can be checked."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from .settings import home

_BLOCK = 1 << 20
_MAX_LINES = 20_000
_PATIENCE = 60.0
"""Seconds to wait for the hash of an earlier file."""

_PARTS = {
    "model": ("model", "state_dict", "model_state_dict", "net", "network", "weights", "module"),
    "optimizer": ("optimizer", "optimizer_state_dict", "optim", "opt", "optimizer_states", "optimizers"),
    "scheduler": ("scheduler", "lr_scheduler", "scheduler_state_dict", "lr_schedulers", "sched"),
    "scaler": ("scaler", "grad_scaler", "amp", "scaler_state_dict", "native_amp_scaling_state"),
    "epoch": ("epoch", "epochs", "start_epoch", "current_epoch"),
    "step": ("step", "global_step", "iteration", "iter", "iter_num"),
    "rng": ("rng", "rng_state", "torch_rng_state", "random_state", "rng_states"),
}


class _Note(msgspec.Struct, omit_defaults=True):
    path: str
    sha256: str
    bytes: int
    time: float
    run: str = ""
    state: dict[str, Any] = {}
    """Where training stood: loss, lr, epoch and the like, so that a resume can be compared with it."""


class Registry:
    """``checkpoints.jsonl`` in the product's own folder, and the threads that hash.

    Args:
        run: the run directory, to be noted with each hash.
    """

    def __init__(self, run: Path) -> None:
        self.path = home() / "checkpoints.jsonl"
        self._run = str(run)
        self._threads: list[threading.Thread] = []

    def submit(
        self,
        stream: BinaryIO,
        path: str,
        state: dict[str, Any] | None,
        done: Callable[[dict[str, Any]], None],
    ) -> None:
        """Hash ``stream`` on a thread; note the hash of a saved file, compare that of a loaded one.

        Args:
            state: where training stood when the file was saved; None for a loaded file.
            done: called on the thread with path, sha256, bytes and, for a loaded file, matches and the
                state noted when it was saved.
        """
        # A daemon: the interpreter must not wait for a file of many gigabytes when the job is over.
        earlier = [*filter(threading.Thread.is_alive, self._threads)]
        thread = threading.Thread(
            target=self._examine,
            args=(stream, path, state, earlier, _version(stream), done),
            name="spikelore-hash",
            daemon=True,
        )
        self._threads = [*earlier, thread]
        thread.start()

    def wait(self, seconds: float) -> None:
        """Give hashes under way some time to end."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _examine(
        self,
        stream: BinaryIO,
        path: str,
        state: dict[str, Any] | None,
        earlier: list[threading.Thread],
        began: tuple[int, int],
        done: Callable[[dict[str, Any]], None],
    ) -> None:
        try:
            with stream:
                digest, size = _sha256(stream)
                # Jobs that keep one file write over it in place: such a hash is of neither content.
                if _version(stream) != began:
                    raise OSError("written over while it was read")
        except OSError as error:
            done({"path": path, "sha256": None, "matches": None, "error": str(error)})
            return
        # A file that is loaded right after it was saved is compared with a note that must be there first.
        for thread in earlier:
            thread.join(_PATIENCE)
        absolute = os.path.realpath(path)
        found: dict[str, Any] = {"path": path, "sha256": digest, "bytes": size}
        if state is not None:
            self._note(_Note(absolute, digest, size, time.time(), self._run, state))
        else:
            note, found["matches"] = self._noted(absolute, digest)
            found["saved"] = note.state if note else None
        done(found)

    def _note(self, note: _Note) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as stream:
                stream.write(msgspec.json.encode(note) + b"\n")
        except OSError:
            # A home that cannot be written costs the check of later loads, nothing else.
            return

    def _noted(self, path: str, digest: str) -> tuple[_Note | None, bool | None]:
        """Return the latest note on the path and whether the hash agrees; a moved file is known by it."""
        try:
            lines = self.path.read_bytes().splitlines()[-_MAX_LINES:]
        except OSError:
            return None, None
        moved = None
        for line in reversed(lines):
            try:
                note = msgspec.json.decode(line, type=_Note)
            except msgspec.DecodeError:
                continue
            if note.path == path:
                return note, note.sha256 == digest
            if moved is None and note.sha256 == digest:
                moved = note
        return moved, True if moved else None


def _version(stream: BinaryIO) -> tuple[int, int]:
    """Return what changes when a file is written to: its time in ns and its size."""
    status = os.fstat(stream.fileno())
    return status.st_mtime_ns, status.st_size


def _sha256(stream: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while block := stream.read(_BLOCK):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


def contents(checkpoint: Any) -> dict[str, bool]:
    """Say which parts of a training state a loaded object holds, by the names in common use."""
    if not isinstance(checkpoint, Mapping):
        return {}
    names = {str(key).lower() for key in list(checkpoint)[:200]}
    found = {part: any(name in names for name in known) for part, known in _PARTS.items()}
    if not any(found.values()) and all(hasattr(value, "shape") for value in list(checkpoint.values())[:8]):
        # A bare state dict: tensors by parameter name.
        found["model"] = True
    return found
