"""Reading all documents of some directories; a broken file is reported and the rest stands."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ..documents import (
    CauseDocument,
    DisabledDocument,
    DocumentError,
    FixDocument,
    Problem,
    RuleDocument,
    markup,
)
from ..documents.checking import check_document
from ..documents.fields import Document
from ..documents.reading import read_text, to_document
from ..facts.registry import specs
from .folders import KINDS, MAX_FILES, Found, Kind, Source, find, too_many

_MODELS: dict[Kind, type[Document]] = {"rules": RuleDocument, "causes": CauseDocument, "fixes": FixDocument}
Stamp: TypeAlias = "tuple[int, int, int]"
"""Time of change in nanoseconds, size and inode: changed whenever a file was."""


@dataclass(frozen=True)
class Entry:
    """A document and where it came from."""

    document: Document
    found: Found

    @property
    def id(self) -> str:
        """The document's id."""
        identifier: str = getattr(self.document, "id")  # noqa: B009 - every kind of document has one
        return identifier


@dataclass
class Loaded:
    """Everything read from some sources.

    Attributes:
        entries: documents by kind and id, the last source winning.
        problems: what is wrong, in the order of sources and files.
        disabled: entries switched off, by kind and id.
    """

    entries: dict[Kind, dict[str, Entry]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    disabled: dict[Kind, dict[str, Entry]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    overridden: dict[Kind, dict[str, Entry]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    problems: list[Problem] = field(default_factory=list)

    def take(self, entry: Entry) -> None:
        """Place a document over an earlier one of its id."""
        kind = entry.found.kind
        earlier = self.entries[kind].pop(entry.id, None)
        if earlier is not None and earlier.found.source == entry.found.source:
            self.entries[kind][entry.id] = earlier
            other = str(earlier.found.path)
            text = f"id {entry.id} is also that of {other}"
            self.problems.append(Problem(str(entry.found.path), None, "id", text, "an id may stand once"))
            return
        if earlier is not None:
            self.overridden[kind][entry.id] = earlier
        home = self.disabled if isinstance(entry.document, DisabledDocument) else self.entries
        self.disabled[kind].pop(entry.id, None)
        home[kind][entry.id] = entry


@dataclass
class FileCache:
    """What each file held when it was last read, so that a reload reads only what changed."""

    _known: dict[str, tuple[Stamp, Entry | None, list[Problem]]] = field(default_factory=dict)

    def read(self, found: Found) -> tuple[Entry | None, list[Problem]]:
        """Return the document of a file, None when it is broken, and its problems."""
        path = str(found.path)
        stamp = stamp_of(path)
        known = self._known.get(path)
        if known is None or known[0] != stamp or stamp is None:
            entry, problems = read_document(found)
            known = (stamp or (0, 0, 0), entry, problems)
            self._known[path] = known
        return known[1], known[2]

    def forget_all_but(self, paths: Iterable[str]) -> None:
        """Drop files that are gone."""
        kept = set(paths)
        for path in [p for p in self._known if p not in kept]:
            del self._known[path]


def stamp_of(path: Path | str) -> Stamp | None:
    """Return what changes when a file does, None when there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def read_document(found: Found) -> tuple[Entry | None, list[Problem]]:
    """Read and check one file, by itself."""
    try:
        file = str(found.path)
        marked = markup.parse(read_text(file), file)
        switched_off = isinstance(marked.data, dict) and "disabled" in marked.data
        document = to_document(marked, DisabledDocument if switched_off else _MODELS[found.kind])
    except DocumentError as error:
        return None, error.problems
    entry = Entry(document, found)
    problems = check_document(document, marked, specs())
    if entry.id != found.path.stem:
        valid = f"valid is {found.path.stem}, or the file name {entry.id}.yaml"
        problems.append(marked.problem(("id",), f"id {entry.id} is not the file's name", valid))
    return (None if any(p.severity == "error" for p in problems) else entry), problems


def load(sources: Iterable[Source], cache: FileCache | None = None) -> Loaded:
    """Return the documents of all sources."""
    cache = cache or FileCache()
    loaded = Loaded()
    seen = []
    for source in sources:
        if source.team and not source.path.is_dir():
            text = "no such directory of rules"
            loaded.problems.append(Problem(str(source.path), None, "", text, severity="warning"))
        for folder in too_many(source):
            text = f"more than {MAX_FILES:,} files; the rest is not read"
            loaded.problems.append(Problem(str(folder), None, "", text))
        for found in find(source):
            seen.append(str(found.path))
            entry, problems = cache.read(found)
            loaded.problems += problems
            if entry is not None:
                loaded.take(entry)
    cache.forget_all_but(seen)
    return loaded


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Keep the garbage collector still: it would go through thousands of new documents, all of them kept."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            # Moves what is new among the old, so that the first collection after this has nothing to do.
            gc.freeze()
            gc.unfreeze()
        if running:
            gc.enable()
