"""The rule base: rules, causes and fixes that belong together, compiled at first use."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from ..documents import CauseDocument, FixDocument, Problem, RuleDocument
from ..documents.fields import Document
from ..engine import Engine, Outcome, Rule
from ..facts.registry import FactSet
from .folders import Source, default_sources
from .linking import link
from .loading import Entry, FileCache, Loaded, collector_at_rest, load

D = TypeVar("D", bound=Document)


class RuleBase:
    """An unchanging set of documents; a changed one is a new object.

    Attributes:
        rules: rule documents by id.
        causes: cause documents by id.
        fixes: fix documents by id.
        problems: what was left out and why.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._compiled = link(loaded)
        self.rules: dict[str, RuleDocument] = _of_kind(loaded.entries["rules"], RuleDocument)
        self.causes: dict[str, CauseDocument] = _of_kind(loaded.entries["causes"], CauseDocument)
        self.fixes: dict[str, FixDocument] = _of_kind(loaded.entries["fixes"], FixDocument)
        self.problems: list[Problem] = loaded.problems
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._by_conclusion: dict[str, list[RuleDocument]] = {}
        for rule in self.rules.values():
            self._by_conclusion.setdefault(rule.derived_fact, []).append(rule)

    @classmethod
    def load(
        cls,
        extra: Sequence[Path] = (),
        *,
        sources: Iterable[Source] | None = None,
        cache: FileCache | None = None,
    ) -> RuleBase:
        """Return the shipped documents with those of the team over them.

        Args:
            extra: further directories, winning over all others.
            sources: exactly these instead of the usual ones.
            cache: of an earlier load, so that only changed files are read.
        """
        with collector_at_rest():
            return cls(load(default_sources(extra) if sources is None else sources, cache))

    @property
    def engine(self) -> Engine:
        """The compiled rules.

        Raises:
            EngineUnavailableError: durable_rules does not load in this Python.
        """
        with self._lock:
            if self._engine is None:
                self._engine = Engine(self._compiled)
            return self._engine

    @property
    def compiled(self) -> list[Rule]:
        """The rules as the engine sees them."""
        return list(self._compiled)

    def evaluate(self, facts: FactSet, verdict: str = "spike") -> Outcome:
        """Return what follows from facts; see `Engine.evaluate`."""
        return self.engine.evaluate(facts, verdict)

    def concluding(self, derived: str) -> list[RuleDocument]:
        """Return the rules that conclude a derived fact, such as ``cause.model.x``."""
        return self._by_conclusion.get(derived, [])

    def path(self, identifier: str) -> Path | None:
        """Return the file of a rule, cause or fix."""
        entry = self._entry(identifier)
        return entry.found.path if entry else None

    def is_team(self, identifier: str) -> bool:
        """Tell whether a document comes from a team directory."""
        entry = self._entry(identifier)
        return entry is not None and entry.found.source.team

    @property
    def disabled(self) -> dict[str, Path]:
        """Ids that are switched off, with the file that says so."""
        return {n: e.found.path for kind in self._loaded.disabled.values() for n, e in kind.items()}

    def _entry(self, identifier: str) -> Entry | None:
        found = (kind[identifier] for kind in self._loaded.entries.values() if identifier in kind)
        return next(found, None)


def _of_kind(entries: dict[str, Entry], kind: type[D]) -> dict[str, D]:
    documents = ((name, entries[name].document) for name in sorted(entries))
    return {name: document for name, document in documents if isinstance(document, kind)}
