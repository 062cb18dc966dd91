"""The user's settings: one small YAML file, every key optional."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Annotated

import msgspec

from ..probes.evidence.home import home
from .errors import UserError

LIMIT = 1 << 16
"""Largest settings file read, in bytes."""


class Settings(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """What the application remembers between two starts."""

    theme: str = "spikelore-dark"
    language: str = ""
    """``en``, ``zh``, or empty for the locale's."""
    database: str = ""
    """URL of the case library; empty for the SQLite file in the home folder."""
    folders: list[str] = []
    """More folders of runs."""
    rules: list[str] = []
    """Directories of the team's rules, where ``SPIKELORE_RULES`` names none; new ones go to the last."""
    keymap: dict[str, str] = {}
    """Keys by binding id, for example ``live.alarm: f5``."""
    author: str = ""
    """Name under which incidents are resolved; empty for the login name."""
    notify: list[str] = []
    """Addresses of Apprise that are told of an alarm and of its diagnosis."""
    notify_from: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Least ratio of the loss after to before that is worth a message; 0 tells of every alarm."""
    least_certainty: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """Causes below this certainty are not listed in the triage."""


def settings_path() -> Path:
    """Return where the settings are kept."""
    return home() / "settings.yaml"


def load() -> Settings:
    """Read the settings; the defaults where there is no file.

    Raises:
        UserError: the file cannot be understood.
    """
    path = settings_path()
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return Settings()
    if len(text) > LIMIT:
        raise UserError(f"{path}: {len(text)} bytes are too many for settings; valid: up to {LIMIT}")
    import yaml

    try:
        return msgspec.convert(yaml.safe_load(text) or {}, Settings)
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML ({error})") from error
    except msgspec.ValidationError as error:
        valid = ", ".join(Settings.__struct_fields__)
        raise UserError(f"{path}: {error}; valid keys: {valid}") from error


def save(settings: Settings) -> None:
    """Write the settings.

    Raises:
        OSError: the home folder cannot be written.
    """
    import yaml

    from ..probes.evidence.rundir import write_atomic

    path = settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(msgspec.to_builtins(settings), sort_keys=False, allow_unicode=True)
    write_atomic(path, text.encode())
    # Addresses of databases and chats carry passwords.
    os.chmod(path, 0o600)


def author(settings: Settings) -> str:
    """Return the name to resolve incidents under."""
    if settings.author:
        return settings.author
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
