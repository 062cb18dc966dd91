"""From evidence to facts: every module of this package contributes those it declares."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

import numpy as np

from ...probes.evidence.reader import RunEvidence
from .context import Context, FindingLike
from .registry import Fact, FactSet

Extractor: TypeAlias = Callable[[Context], Iterator[Fact]]


def extract(run: RunEvidence, finding: FindingLike, onset: int | None) -> FactSet:
    """Return the facts of a run.

    Args:
        run: its evidence.
        finding: what the detector found.
        onset: step of the first bad loss, None where there is no spike; then only the facts that
            describe the run as a whole are known.
    """
    context = Context(run, onset, finding)
    # Non-finite evidence is to be expected here: what comes of it is a fact, not an error.
    with np.errstate(all="ignore"):
        return FactSet(_plain(fact) for extractor in _extractors() for fact in extractor(context))


@cache
def _extractors() -> tuple[Extractor, ...]:
    package = __package__ or ""
    names = sorted(info.name for info in pkgutil.iter_modules(importlib.import_module(package).__path__))
    modules = [importlib.import_module(f"{package}.{name}") for name in names]
    return tuple(module.extract for module in modules if getattr(module, "FACTS", ()))


def _plain(fact: Fact) -> Fact:
    """Return the fact with a value of Python's own types: a NumPy scalar would not match a rule's type."""
    value = fact.value
    if isinstance(value, np.generic):
        return Fact(fact.name, value.item(), fact.window, fact.certainty)
    return fact
