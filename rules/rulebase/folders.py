"""Where documents come from: the shipped library, then the directories of the team."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from ...probes.evidence.home import home

Kind: TypeAlias = Literal["rules", "causes", "fixes"]
KINDS: tuple[Kind, ...] = ("rules", "causes", "fixes")
MAX_FILES = 20_000
"""Files that one folder may hold; the rest is not read and is reported."""

LIBRARY = Path(__file__).resolve().parents[1] / "library"


class Source(NamedTuple):
    """One directory of documents.

    Attributes:
        team: not shipped.
    """

    path: Path
    team: bool = True


class Found(NamedTuple):
    """A file that should hold a document."""

    path: Path
    kind: Kind
    source: Source


def default_sources(extra: Sequence[Path] = ()) -> list[Source]:
    """Return where documents come from, the last winning over those before.

    The shipped library, the user's own folder where there is one, the directories of ``SPIKELORE_RULES``,
    and further ones.
    """
    own = [path for path in (own_directory(),) if path.is_dir()]
    team = dict.fromkeys([*own, *_named(), *extra])
    return [Source(LIBRARY, team=False), *(Source(path) for path in team)]


def own_directory() -> Path:
    """Return the folder for the user's own rules, which need not exist: ``rules`` beside the runs."""
    return home() / "rules"


def team_directory() -> Path:
    """Return where new rules go: the last directory of ``SPIKELORE_RULES``, else the user's own folder."""
    return [own_directory(), *_named()][-1]


def _named() -> list[Path]:
    texts = os.environ.get("SPIKELORE_RULES", "").split(os.pathsep)
    return [Path(text).expanduser() for text in texts if text.strip()]


def find(source: Source) -> Iterator[Found]:
    """Yield the documents of a source in a fixed order; a file right in a team directory is a rule."""
    for folder, kind in _folders(source):
        for name in sorted(_names(folder))[:MAX_FILES]:
            yield Found(folder / name, kind, source)


def too_many(source: Source) -> list[Path]:
    """Return the folders of a source that hold more files than are read."""
    return [folder for folder, _ in _folders(source) if len(_names(folder)) > MAX_FILES]


def _folders(source: Source) -> list[tuple[Path, Kind]]:
    own: list[tuple[Path, Kind]] = [(source.path, "rules")] if source.team else []
    return own + [(source.path / kind, kind) for kind in KINDS]


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [e.name for e in entries if e.name.endswith((".yaml", ".yml")) and e.name[0] not in "._#"]
    except OSError:
        return []
