"""Completes a run's manifest when its job has ended, from what the evidence says."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec

from .evidence import Event, EvidenceError, Header, RunDirectory, RunManifest, decode

_HEAD_BYTES = 1 << 18
_TAIL_BYTES = 1 << 20
_NOTED = (b'"name":"evidence.lost"', b'"name":"probe.disabled"', b'"name":"update.unseen"')


def complete(run: RunDirectory, exit_code: int | None) -> RunManifest:
    """Write state, exit code, versions, world size and notes; return the manifest.

    Args:
        exit_code: of the job; None where it is not known, as for a process that was attached to.
    """
    manifest = run.manifest()
    manifest.exit_code = exit_code
    manifest.state = "failed" if exit_code else "finished"
    manifest.ended = time.time()
    ranks = set()
    for rank, _, path in run.evidence_files():
        ranks.add(rank)
        _take_head(manifest, path)
        _take_losses(manifest, path)
    _take_boot_log(manifest, run.path / "boot.log")
    if not ranks:
        manifest.notes.append(
            "no training step was seen: the job ended before its first backward, does not use PyTorch, "
            "runs Python with -S or an emptied environment (env -i), or compiles its whole training step"
        )
    manifest.world_size = max(manifest.world_size, len(ranks))
    run.write_manifest(manifest)
    return manifest


def _take_head(manifest: RunManifest, path: Path) -> None:
    """Take world size and versions from the first records of an evidence file."""
    with path.open("rb") as stream:
        block = stream.read(_HEAD_BYTES)
    for line in block[: block.rfind(b"\n") + 1].splitlines():
        if not line.startswith((b'{"k":"header"', b'{"k":"event"')):
            continue
        try:
            record = decode(line)
        except EvidenceError:
            continue
        if isinstance(record, Header):
            manifest.world_size = max(manifest.world_size, record.world)
        elif isinstance(record, Event) and record.name == "environment":
            manifest.versions.update(record.data.get("versions", {}))
            manifest.versions["python"] = str(record.data.get("python", ""))
            return


def _take_losses(manifest: RunManifest, path: Path) -> None:
    """Note lost evidence and probes that were switched off."""
    with path.open("rb") as stream:
        lines = stream.read(_HEAD_BYTES).splitlines()
        stream.seek(max(stream.tell(), path.stat().st_size - _TAIL_BYTES))
        lines += stream.read().splitlines()
    for line in lines:
        if not any(name in line for name in _NOTED):
            continue
        try:
            event = msgspec.json.decode(line, type=Event)
        except msgspec.DecodeError:
            continue
        if event.name == "probe.disabled":
            text = f"probe {event.data.get('sensor')} was switched off: {event.data.get('error')}"
        elif event.name == "update.unseen":
            text = str(event.data.get("reason"))
        else:
            text = f"{event.data.get('count')} records lost: {event.data.get('reason')}"
        if text not in manifest.notes:
            manifest.notes.append(text)


def _take_boot_log(manifest: RunManifest, path: Path) -> None:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    manifest.notes += [f"probes in {line}" for line in lines[:20]]
