"""What the environment asks of the agent."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Settings of one process under probes.

    Attributes:
        run: the run directory.
        budget: share of the step time that probes may take, 0.01 for 1 %.
        limit: bytes that the evidence file of one rank may reach.
        off: names of sensors left out.
        folders: further folders whose files hold sensors of the team's own.
    """

    run: Path
    budget: float = 0.01
    limit: int = 64 << 20
    off: frozenset[str] = frozenset()
    folders: tuple[Path, ...] = field(default=())

    @classmethod
    def from_environment(cls) -> Settings:
        """Read ``SPIKELORE_*``; a value that makes no sense falls back to its default."""
        environment = os.environ
        return cls(
            run=Path(environment["SPIKELORE_RUN"]),
            budget=_number("SPIKELORE_BUDGET", 0.01),
            limit=int(_number("SPIKELORE_LIMIT_MB", 64) * (1 << 20)),
            off=frozenset(filter(None, environment.get("SPIKELORE_SENSORS_OFF", "").split(","))),
            folders=tuple(
                Path(part) for part in environment.get("SPIKELORE_SENSORS", "").split(os.pathsep) if part
            ),
        )


def _number(name: str, default: float) -> float:
    try:
        value = float(os.environ.get(name, default))
    except ValueError:
        return default
    return value if value > 0 else default


def home() -> Path:
    """Folder for what outlives a run: ``$SPIKELORE_HOME``, else the user's data folder."""
    chosen = os.environ.get("SPIKELORE_HOME")
    if chosen:
        return Path(chosen)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "spikelore"
