"""The vocabulary of rules: every fact, its type, unit and meaning.

A module of this package that computes facts declares them as ``FACTS: tuple[FactSpec, ...]``; `specs`
finds them by walking the folder, so a new module needs no other line changed.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Literal, TypeAlias

import msgspec

from ..diagnosis import FactValue

FactKind: TypeAlias = Literal["number", "bool", "text"]


class FactSpec(msgspec.Struct, frozen=True):
    """What a fact is."""

    name: str
    kind: FactKind
    unit: str
    """Empty for a pure number, a yes or no, and a text; ``x`` for a ratio."""
    meaning: str
    meaning_zh: str
    low: float | None = None
    """Least value that can occur; None means no limit."""
    high: float | None = None
    choices: tuple[str, ...] = ()
    """Every text that can occur; empty means any."""
    computed_from: tuple[str, ...] = ()
    """Names of the evidence that it needs."""
    standing: bool = False
    """It describes the job, whatever happens in it: two jobs differ in it without a fault."""

    @property
    def family(self) -> str:
        """The part of the name before its first dot."""
        return self.name.partition(".")[0]

    def explain(self, lang: str) -> str:
        """Return the meaning in a language, ``en`` or ``zh``."""
        return self.meaning_zh if lang == "zh" else self.meaning


class Fact(msgspec.Struct, frozen=True):
    """One measured fact."""

    name: str
    value: FactValue
    window: tuple[int, int] | None = None
    """First and last step that it was computed on."""
    certainty: float = 1.0
    """0 to 1: how far the measurement itself can be trusted."""


class FactSet(Mapping[str, Fact]):
    """The known facts of a run; a fact that is absent is unknown, which is not the same as false.

    NaN is no knowledge, so a fact with that value is dropped.
    """

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._facts = {fact.name: fact for fact in facts if not _is_nan(fact.value)}

    @classmethod
    def of(cls, values: Mapping[str, FactValue]) -> FactSet:
        """Return the facts given by bare values, each fully certain."""
        return cls(Fact(name, value) for name, value in values.items())

    def __getitem__(self, name: str) -> Fact:
        return self._facts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def __repr__(self) -> str:
        return f"FactSet({self.values_by_name()!r})"

    def values_by_name(self) -> dict[str, FactValue]:
        """Return the bare values."""
        return {name: fact.value for name, fact in self._facts.items()}

    def with_facts(self, facts: Iterable[Fact]) -> FactSet:
        """Return a set with facts added or replaced."""
        return FactSet([*self._facts.values(), *facts])

    def without(self, names: Iterable[str]) -> FactSet:
        """Return a set in which the named facts are unknown."""
        gone = set(names)
        return FactSet(fact for name, fact in self._facts.items() if name not in gone)


def _is_nan(value: FactValue) -> bool:
    return isinstance(value, float) and math.isnan(value)


@cache
def specs() -> dict[str, FactSpec]:
    """Return every declared fact by name, sorted.

    Raises:
        ValueError: two modules declare one name.
    """
    package = __package__ or ""
    found: dict[str, FactSpec] = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if module.name == __name__.rpartition(".")[2]:
            continue
        for spec in getattr(importlib.import_module(f"{package}.{module.name}"), "FACTS", ()):
            if spec.name in found:
                raise ValueError(f"fact {spec.name!r} is declared twice; the second is in {module.name}.py")
            found[spec.name] = spec
    return dict(sorted(found.items()))
