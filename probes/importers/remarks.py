"""What console text says beside the curve: out of memory, device errors, checkpoints, skipped steps."""

from __future__ import annotations

import re

from .sink import Sink

_OOM = re.compile(
    r"(?:CUDA|HIP|XPU|MPS|NPU)[^\n]{0,40}out of memory|OutOfMemoryError|RESOURCE_EXHAUSTED", re.IGNORECASE
)
_XID = re.compile(r"NVRM: Xid|uncorrectable ECC|ECC error|GPU has fallen off the bus", re.IGNORECASE)
_KILLED = re.compile(r"oom-kill|Out of memory: Killed process", re.IGNORECASE)
_SAVED = re.compile(
    r"(?:sav(?:ed|ing)[^\n]{0,40}(?:checkpoint|model|weights|state)|snapshotting to|checkpoint"
    r" saved)[^\n]{0,40}?"
    r"(?:\s(?:to|in|at|as|under)\s+|:\s*)(?P<path>\S{1,300})",
    re.IGNORECASE,
)
_LOADED = re.compile(
    r"(?:resum(?:ed|ing)(?: training)?|restor(?:ed|ing)[^\n]{0,40}|load(?:ed|ing)"
    r" (?:checkpoint|model|weights))"
    r"[^\n]{0,60}?\s(?:from|at)\s+(?P<path>\S{1,300})",
    re.IGNORECASE,
)
_SKIPPED = re.compile(r"gradient overflow|overflow detected|skipping step|OVERFLOW!", re.IGNORECASE)
_WORDS = re.compile(
    r"memory|exhausted|xid|ecc|bus|oom|sav|snapshot|checkpoint|resum|restor|load|overflow|skipping",
    re.IGNORECASE,
)


def remark(line: str, sink: Sink) -> bool:
    """Keep what a line of console text says beside the curve; return whether it said anything known."""
    text = line[:2000]
    if not _WORDS.search(text):
        return False
    if _KILLED.search(text):
        sink.event("system", None, {"source": "log", "text": text.strip()[:300], "kind": "oom_killer"})
    elif _OOM.search(text):
        sink.event("oom", None, {"message": text.strip()[:300]})
    elif _XID.search(text):
        kind = "xid" if "xid" in text.lower() else "ecc"
        sink.event("system", None, {"source": "log", "text": text.strip()[:300], "kind": kind})
    elif found := _LOADED.search(text):
        sink.event("checkpoint.load", None, {"path": _path(found["path"]), "matches": None})
    elif found := _SAVED.search(text):
        sink.event("checkpoint.save", None, {"path": _path(found["path"])})
    elif _SKIPPED.search(text):
        sink.event("amp.skipped", None, {"text": text.strip()[:300]})
    else:
        return False
    return True


def is_overflow(line: str) -> bool:
    """Tell a line about a skipped step, whose numbers are scales and no losses."""
    return bool(_SKIPPED.search(line[:2000]))


def _path(text: str) -> str:
    return text.strip("'\"`.,;()[]")
