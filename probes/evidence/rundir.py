"""The run directory: where a run keeps its manifest, evidence, alarms and capsules.

Every file has one writer. A manifest is replaced whole (rename is atomic, also on network disks); the
rest only grows by whole lines, so a reader may look at any time.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from .schema import EvidenceError

_EVIDENCE_NAME = re.compile(r"rank-(\d{5})(?:-(\d+))?\.jsonl")


class RunManifest(msgspec.Struct, omit_defaults=True):
    """What is known of a run as a whole (``run.json``); unknown keys of later versions are ignored."""

    id: str
    created: float
    """Unix time in seconds."""
    schema: int = 1
    command: list[str] = []
    """Secrets are masked before they get here."""
    cwd: str = ""
    name: str = ""
    project: str = ""
    source: str = "probes"
    """``probes``, or the importer that made the run."""
    world_size: int = 1
    git: dict[str, Any] = {}
    versions: dict[str, str] = {}
    settings: dict[str, Any] = {}
    """Hyper-parameters seen."""
    state: str = "running"
    """``running``, ``finished``, ``failed`` or ``imported``."""
    exit_code: int | None = None
    ended: float | None = None
    pid: int | None = None
    host: str = ""
    notes: list[str] = []
    """What could not be seen or was lost, in plain sentences."""


class Alarm(msgspec.Struct, omit_defaults=True):
    """One line of ``alarms.jsonl``, written by whoever watches the run."""

    level: str
    """``warning`` at the first bad batch, ``alarm`` once certain, ``withdrawn`` where it was no fault."""
    step: int
    time: float = 0.0
    epoch: float | None = None
    batch: int | None = None
    series: str = "loss"
    before: float | None = None
    after: float | str | None = None
    """Text for a non-finite value."""
    reason: str = ""
    incident: str | None = None


class RunDirectory:
    """Paths and small files of one run.

    Args:
        path: the directory; `create` makes it, `open` demands that it is one.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: Path | str, manifest: RunManifest) -> RunDirectory:
        """Make the directory and write its manifest.

        Raises:
            EvidenceError: the directory already holds a run, or cannot be made.
        """
        run = cls(path)
        if run.manifest_path.exists():
            raise EvidenceError(f"{path}: holds a run already; choose an empty or new directory")
        try:
            run.evidence_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EvidenceError(f"{path}: cannot be made a run directory ({error.strerror})") from error
        run.write_manifest(manifest)
        return run

    @classmethod
    def open(cls, path: Path | str) -> RunDirectory:
        """Return the run at ``path``.

        Raises:
            EvidenceError: it is not a run directory.
        """
        run = cls(path)
        if not run.manifest_path.is_file():
            raise EvidenceError(f"{path}: not a run directory; valid is a folder that holds run.json")
        return run

    @property
    def manifest_path(self) -> Path:
        """``run.json``."""
        return self.path / "run.json"

    @property
    def evidence_dir(self) -> Path:
        """Folder of the evidence files, one per rank."""
        return self.path / "evidence"

    @property
    def alarms_path(self) -> Path:
        """``alarms.jsonl``."""
        return self.path / "alarms.jsonl"

    @property
    def diagnosis_path(self) -> Path:
        """``diagnosis.json``, the latest diagnosis of whoever watches the run."""
        return self.path / "diagnosis.json"

    @property
    def capsules_dir(self) -> Path:
        """Folder of the spike capsules."""
        return self.path / "capsules"

    def manifest(self) -> RunManifest:
        """Read ``run.json``.

        Raises:
            EvidenceError: it is missing or malformed.
        """
        try:
            return msgspec.json.decode(self.manifest_path.read_bytes(), type=RunManifest)
        except OSError as error:
            raise EvidenceError(f"{self.manifest_path}: {error.strerror}") from error
        except msgspec.DecodeError as error:
            raise EvidenceError(f"{self.manifest_path}: {error}") from error

    def write_manifest(self, manifest: RunManifest) -> None:
        """Replace ``run.json`` whole."""
        write_atomic(self.manifest_path, msgspec.json.format(msgspec.json.encode(manifest), indent=2))

    def evidence_files(self) -> Iterator[tuple[int, int, Path]]:
        """Yield (rank, part, path) in order; part counts restarts of the same rank from 0."""
        found = []
        if self.evidence_dir.is_dir():
            for path in self.evidence_dir.iterdir():
                match = _EVIDENCE_NAME.fullmatch(path.name)
                if match:
                    found.append((int(match[1]), int(match[2] or 0), path))
        yield from sorted(found)

    def new_evidence_file(self, rank: int) -> Path:
        """Claim a fresh evidence file of a rank: no two processes ever share one.

        Raises:
            OSError: the folder cannot be written.
        """
        part = 0
        while True:
            suffix = f"-{part}" if part else ""
            path = self.evidence_dir / f"rank-{rank:05d}{suffix}.jsonl"
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
            except FileExistsError:
                part += 1
            else:
                return path

    def append_alarm(self, alarm: Alarm) -> None:
        """Add one alarm."""
        with self.alarms_path.open("ab") as stream:
            stream.write(msgspec.json.encode(alarm) + b"\n")

    def alarms(self) -> list[Alarm]:
        """Return every alarm so far, a torn last line left out; a later line takes the place of its alarm."""
        try:
            lines = self.alarms_path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        alarms: list[Alarm] = []
        for line in lines:
            try:
                alarm = msgspec.json.decode(line, type=Alarm)
            except msgspec.DecodeError:
                continue
            if alarm.level == "withdrawn":
                alarms = [old for old in alarms if (old.level, old.step) != ("alarm", alarm.step)]
            alarms.append(alarm)
        return alarms


def write_atomic(path: Path, content: bytes) -> None:
    """Replace a file whole: a reader sees the old content or the new, never a part."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        # mkstemp makes files private; a run is for the team to read.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
