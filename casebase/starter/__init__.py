"""The cases that come with the product: those of the article on loss spikes, and public incidents.

One YAML file per family holds a list of cases. All are restated from the public account that
``reference`` names; a fact is given only where the account states or implies it.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from ..entry import Entry
from ..values import Case

if TYPE_CHECKING:
    from importlib.abc import Traversable

    from ..library import CaseLibrary

WRITTEN = 1735689600.0
"""2025-01-01: the accounts are older than anything that a user's own runs add, so they are listed last."""
_SETTING = "starter"


def cases() -> Iterator[Case]:
    """Yield every starter case.

    Raises:
        msgspec.ValidationError: a file is not as documented.
    """
    import yaml

    for path in _sources():
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        for entry in msgspec.convert(raw, list[Entry]):
            yield _case(entry)


def _case(entry: Entry) -> Case:
    for fix in entry.fixes:
        fix.decided = "starter"
        fix.created = WRITTEN
    return entry.case("starter", WRITTEN)


def ensure_loaded(library: CaseLibrary) -> bool:
    """Put the starter cases into a library that lacks them or has older ones; tell whether it did."""
    mine = version()
    with library.database.reader() as reader:
        stored = reader.value("SELECT value FROM setting WHERE name = ?", [_SETTING])
    # Of two releases that share a library the newer one decides, or they would take turns for ever.
    if stored == mine or (stored and _release(stored) > _release(mine)):
        return False
    from .loading import load

    load(library, list(cases()), _SETTING, mine)
    return True


def version() -> str:
    """Return what a library notes of the starter cases: the release and a digest of the files."""
    from ... import __version__

    digest = blake2b(digest_size=8)
    for path in _sources():
        digest.update(path.read_bytes())
    return f"{__version__} {digest.hexdigest()}"


def _release(noted: str) -> tuple[int, ...]:
    return tuple(int(part) for part in noted.partition(" ")[0].split(".") if part.isdigit())


def _sources() -> list[Traversable]:
    found = [path for path in files(__package__).iterdir() if path.name.endswith(".yaml")]
    return sorted(found, key=lambda path: path.name)
