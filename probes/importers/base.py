"""What an importer is, and how the importers are found: every module of ``formats`` is one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from .sink import Sink
from .source import Sample, Source


@runtime_checkable
class Importer(Protocol):
    """Reads one format.

    The class docstring is the format's row in the documentation: its first line says what is read, the rest
    how it is recognised and which column is taken for the loss.
    """

    name: ClassVar[str]
    example: ClassVar[str]
    """A few lines of the format, empty for a binary one; the importer must recognise and read them."""

    def sniff(self, sample: Sample) -> float:
        """Return how sure it is that the sample is of this format, from 0 to 1."""

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read a log into a sink.

        Args:
            source: the log.
            sink: where the points go.
            mapping: evidence name -> column, what the user said.

        Raises:
            LogError: the log cannot be read at all.
        """


@runtime_checkable
class Store(Protocol):
    """An importer of files that keep several runs."""

    def runs(self, path: Path) -> list[str]:
        """Return the runs with metrics, the last one started first; ``path / run`` names one.

        None of a file that is of another format, which is told by its first bytes.
        """


@cache
def importers() -> dict[str, Importer]:
    """Return every importer by its name."""
    from . import formats

    found: dict[str, Importer] = {}
    for module in pkgutil.iter_modules(formats.__path__):
        loaded = importlib.import_module(f"{formats.__name__}.{module.name}")
        for importer in getattr(loaded, "IMPORTERS", ()):
            found[importer.name] = importer
    return found


def ranked(sample: Sample) -> list[tuple[float, Importer]]:
    """Return the importers that recognise a sample, the surest first.

    An importer that could not win against one that has recognised the sample is not asked.
    """
    found: list[tuple[float, Importer]] = []
    best = 0.0
    for importer in sorted(importers().values(), key=_most, reverse=True):
        if _most(importer) <= best:
            break
        score = importer.sniff(sample)
        if score > 0:
            found.append((score, importer))
            best = max(best, score)
    return sorted(found, key=lambda pair: -pair[0])


def _most(importer: Importer) -> float:
    """Return the highest score that an importer gives."""
    return float(getattr(importer, "weight", 1.0))
