"""The rule base that follows its files: a changed file is in force at the next look."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from .base import RuleBase
from .folders import default_sources, find
from .loading import FileCache, Stamp, stamp_of


class RuleStore:
    """Hands out the current rule base; safe for threads.

    Args:
        extra: directories besides the usual ones.
    """

    def __init__(self, extra: Sequence[Path] = ()) -> None:
        self._extra = list(extra)
        self._cache = FileCache()
        self._lock = threading.Lock()
        self._stamps: dict[Path, Stamp | None] = {}
        self._base: RuleBase | None = None

    def current(self) -> RuleBase:
        """Return the rule base, read anew where a file was added, changed or removed.

        The same object is returned as long as nothing changed. Whoever still holds the one before keeps
        a working rule base.
        """
        with self._lock:
            stamps = self._look()
            if self._base is None or stamps != self._stamps:
                self._base = RuleBase.load(self._extra, cache=self._cache)
                self._stamps = stamps
            return self._base

    def _look(self) -> dict[Path, Stamp | None]:
        sources = default_sources(self._extra)
        found: dict[Path, Stamp | None] = {source.path: None for source in sources}
        for source in sources:
            found.update((each.path, stamp_of(each.path)) for each in find(source))
        return found


@cache
def shared_store() -> RuleStore:
    """Return the store of the usual directories, one for the whole process."""
    return RuleStore()
