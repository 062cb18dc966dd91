"""Which runs are of the same job: the same program, whatever its hyper-parameters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from .identity import content_id
from .masking import Mask

if TYPE_CHECKING:
    from ..probes.evidence.rundir import RunManifest

_LAUNCHERS = re.compile(
    r"(?:.*/)?(?:python[\d.]*|torchrun|accelerate|deepspeed|env|nice|bash|sh|srun|mpirun|uv|poetry|conda)"
)
_NUMBER = re.compile(r"[-+]?\d[\d.,]*(?:e[-+]?\d+)?")
_SCRIPT = re.compile(r".*\.(?:py|sh)")
_GIT_ROOTS = ("root", "remote", "origin", "toplevel")


def lineage_of(manifest: RunManifest) -> str:
    """Return the key of the job that a run belongs to; empty where the command is unknown.

    Two runs are of one job when they start the same program in the same project with the same
    sub-commands. Options and their values, numbers and assignments are hyper-parameters, so they do not
    count, and neither do the interpreter, the launcher and the folders above the program.
    """
    program = _program(manifest.command)
    if not program:
        return ""
    return content_id("lineage", _home(manifest), *program)


def _home(manifest: RunManifest) -> str:
    for name in _GIT_ROOTS:
        if value := manifest.git.get(name):
            return re.sub(r"\.git$", "", str(value)).rstrip("/").rpartition("/")[2]
    return manifest.project or manifest.cwd.rstrip("/").rpartition("/")[2]


def _program(command: list[str]) -> list[str]:
    """Return what a command runs, without interpreter, launcher and hyper-parameters."""
    start = next((i for i, part in enumerate(command) if _SCRIPT.fullmatch(part)), None)
    if start is None:
        start = next((i + 1 for i, part in enumerate(command[:-1]) if part == "-m"), None)
    if start is None:
        start = next((i for i, part in enumerate(command) if not _is_wrapping(part)), None)
    if start is None:
        return []
    name = command[start].rstrip("/").rpartition("/")[2]
    return [name, *_positional(command[start + 1 :])]


def _is_wrapping(part: str) -> bool:
    return part.startswith("-") or "=" in part or bool(_LAUNCHERS.fullmatch(part))


def _positional(arguments: list[str]) -> list[str]:
    """Return the words that are no option, no option's value, no number and no path of a run."""
    kept = []
    skip = False
    for argument in arguments:
        if argument.startswith("-"):
            # Whether an option takes a value cannot be known; taking it along errs on the side of one job.
            skip = "=" not in argument
        elif skip or "=" in argument or _NUMBER.fullmatch(argument):
            skip = False
        else:
            kept.append(argument.rstrip("/").rpartition("/")[2])
    return kept


def describe_run(manifest: RunManifest) -> dict[str, Any]:
    """Return the columns of the run table for a manifest, the id left out; nothing private is kept."""
    mask = Mask()
    return {
        "name": mask.text(manifest.name),
        "project": manifest.project,
        "lineage": lineage_of(manifest),
        "command": mask.text(" ".join(manifest.command)),
        "settings": msgspec.json.encode(
            {"settings": manifest.settings, "versions": manifest.versions, "git": _git(manifest)}
        ).decode(),
        "state": manifest.state,
        "exit_code": manifest.exit_code,
        "created": manifest.created,
        "ended": manifest.ended,
    }


def _git(manifest: RunManifest) -> dict[str, Any]:
    return {name: manifest.git[name] for name in ("commit", "branch", "dirty") if name in manifest.git}
