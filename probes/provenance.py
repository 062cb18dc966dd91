"""Where a run comes from: code version, command-line settings, interpreter."""

from __future__ import annotations

import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .secrets import is_secret_name, mask_text

_GIT_SECONDS = 5.0
_OPTION = re.compile(r"^--?(?P<name>[A-Za-z][\w.-]*)(?:=(?P<value>.*))?$", re.DOTALL)
_MAX_SETTINGS = 200


def git_state(folder: Path) -> dict[str, Any]:
    """Return commit, branch and whether files differ from it; empty outside of a repository."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return {}
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD")
    return {"commit": commit, "branch": branch, "dirty": bool(changed)}


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def settings_in(command: Sequence[str]) -> dict[str, Any]:
    """Return the options of a command as hyper-parameters, numbers as numbers; secrets are left out."""
    found: dict[str, Any] = {}
    words = list(command)
    for place, word in enumerate(words):
        option = _OPTION.match(word)
        if not option or is_secret_name(option["name"]) or len(found) >= _MAX_SETTINGS:
            continue
        following = words[place + 1] if place + 1 < len(words) else "-"
        value = option["value"]
        if value is None:
            value = "true" if _OPTION.match(following) or following == "-" else following
        found[option["name"].replace("-", "_")] = _plain(value)
    return found


def _plain(text: str) -> bool | int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.lower() == "true" if text.lower() in ("true", "false") else mask_text(text)[:200]


def versions() -> dict[str, str]:
    """Return the versions known without looking into the job."""
    return {"python": platform.python_version(), "platform": platform.platform()}
