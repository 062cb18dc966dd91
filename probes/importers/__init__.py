"""Importers: any training log becomes a run directory of evidence.

The format is found by content. A new format is one module in ``formats``.
"""

from .base import Importer, importers
from .folders import Found, Log, Outcome, find_logs, import_all
from .opening import open_directory, open_run
from .reading import ImportResult, import_log, sniff
from .sink import Sink
from .source import LogError, Sample, Source

__all__ = [
    "Found",
    "ImportResult",
    "Importer",
    "Log",
    "LogError",
    "Outcome",
    "Sample",
    "Sink",
    "Source",
    "find_logs",
    "import_all",
    "import_log",
    "importers",
    "open_directory",
    "open_run",
    "sniff",
]
