"""Importers: any training log becomes a run directory of evidence.

The format is found by content. A new format is one module in ``formats``.
"""

from .base import Importer, importers
from .reading import ImportResult, import_log, sniff
from .sink import Sink
from .source import LogError, Sample, Source

__all__ = [
    "ImportResult",
    "Importer",
    "LogError",
    "Sample",
    "Sink",
    "Source",
    "import_log",
    "importers",
    "sniff",
]
