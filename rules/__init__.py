"""Rules: evidence to facts, facts to symptoms, causes and fixes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .diagnosing import conclude, diagnose

__all__ = ["conclude", "diagnose"]


def __getattr__(name: str) -> Any:
    # The structures of a diagnosis are used without the engine, which would cost their users its start-up.
    if name in __all__:
        from . import diagnosing

        return getattr(diagnosing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
