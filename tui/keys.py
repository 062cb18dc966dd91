"""Every key of the application with the id that the settings remap it by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from textual.binding import Binding
from textual.dom import DOMNode


class Key(NamedTuple):
    """One row of the table of keys."""

    id: str
    key: str
    meaning: str


def all_keys() -> list[Key]:
    """Return the keys of the application, its screens and its widgets, by id."""
    return sorted({key for owner in _owners() for key in _keys(owner)})


def _owners() -> Iterator[type[DOMNode]]:
    from .app import SpikeloreApp
    from .screens import screen_classes
    from .widgets.fixes import FixCard
    from .widgets.outcomes import FixOutcomes

    yield SpikeloreApp
    yield FixCard
    yield FixOutcomes
    yield from screen_classes()


def _keys(owner: type[DOMNode]) -> Iterator[Key]:
    for base in owner.__mro__:
        for binding in base.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id:
                yield Key(binding.id, binding.key, binding.tooltip or binding.description)


def taken_by(key: str, identifier: str, keymap: dict[str, str]) -> Key | None:
    """Return another action that has a key where the action ``identifier`` works, None if it is free.

    Args:
        key: the wanted key.
        identifier: id of the action that is to have it.
        keymap: keys by id as they are changed already.
    """
    place = identifier.partition(".")[0]
    shared = {place, "app", "go", "screen"}
    for other in all_keys():
        meets = place in ("app", "go", "screen") or other.id.partition(".")[0] in shared
        if meets and other.id != identifier and key in keymap.get(other.id, other.key).split(","):
            return other
    return None
