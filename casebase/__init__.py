"""The case library: every incident, and which fix worked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import CaseError
    from .library import CaseLibrary
    from .recording import Recorded, record
    from .values import Brief, Case, Filters, FixTried, Hit, Note, Statistics, Window
    from .watch import Watcher

__all__ = [
    "Brief",
    "Case",
    "CaseError",
    "CaseLibrary",
    "Filters",
    "FixTried",
    "Hit",
    "Note",
    "Recorded",
    "Statistics",
    "Watcher",
    "Window",
    "record",
]

_HOMES = {
    "CaseError": "errors",
    "CaseLibrary": "library",
    "Watcher": "watch",
    "Recorded": "recording",
    "record": "recording",
}


def __getattr__(name: str) -> Any:
    # Lazy, as a watcher needs NumPy and a search must not wait for it.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES.get(name, 'values')}", __name__), name)
