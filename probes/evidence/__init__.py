"""Evidence: the typed records that probes write and everything else reads.

Importing this package costs only msgspec; the reader, which needs NumPy, is imported from
``spikelore.probes.evidence.reader``.
"""

from .rundir import RunDirectory, RunManifest
from .schema import (
    SCHEMA_VERSION,
    Eval,
    Event,
    EvidenceError,
    Field,
    Gauge,
    Header,
    Record,
    Step,
    Value,
    decode,
    encode,
)

__all__ = [
    "SCHEMA_VERSION",
    "Eval",
    "Event",
    "EvidenceError",
    "Field",
    "Gauge",
    "Header",
    "Record",
    "RunDirectory",
    "RunManifest",
    "Step",
    "Value",
    "decode",
    "encode",
]
