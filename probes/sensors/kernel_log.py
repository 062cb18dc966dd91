"""What the kernel says of the hardware while the job runs: GPU faults, memory errors, killed processes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..evidence import Field, Value
from .base import Sensor

_DEVICE = "/dev/kmsg"
_FILES = ("/var/log/kern.log", "/var/log/syslog", "/var/log/messages")
_KINDS = (
    ("xid", re.compile(r"NVRM: Xid|amdgpu.*(?:ring .* timeout|GPU reset)", re.IGNORECASE)),
    ("oom_killer", re.compile(r"Out of memory: Killed process|oom-kill:|Memory cgroup out of memory")),
    ("mce", re.compile(r"\bmce: .*(?:Hardware Error|Machine check)|Hardware Error", re.IGNORECASE)),
    ("ecc", re.compile(r"\bEDAC\b.*\b(?:CE|UE)\b|uncorrectable ECC|row.?remap", re.IGNORECASE)),
    ("thermal", re.compile(r"temperature above threshold|cpu clock throttled|thermal (?:shutdown|event)", re.IGNORECASE)),
    ("disk", re.compile(r"I/O error, dev|EXT4-fs error|XFS .*corruption|nvme.* timeout", re.IGNORECASE)),
)  # fmt: skip
_MAX_BYTES = 1 << 18
_MAX_EVENTS = 200


class KernelLog(Sensor):
    """Follows the kernel's log from now on, by the device where that may be read, else by its file."""

    name = "kernel-log"
    FIELDS = (
        Field(
            "system",
            "-",
            "source, text, kind",
            "event",
            "A kernel message of kind xid, oom_killer, mce, ecc, thermal or disk.",
        ),
    )

    def install(self) -> None:
        """Opened by the gauge's thread."""
        self._descriptor: int | None = None
        self._source = ""
        self._opened = False
        self._rest = b""
        self._told = 0

    def gauge(self, values: dict[str, Value]) -> None:
        """Read what has come since the last time; writes events, no gauge."""
        if not self._opened:
            self._opened = True
            self._open()
        if self._descriptor is None or self._told >= _MAX_EVENTS:
            return
        lines = (self._rest + self._read()).split(b"\n")
        self._rest = lines.pop()[-4096:]
        for line in lines:
            self._judge(line.decode(errors="replace"))

    def _open(self) -> None:
        chosen = os.environ.get("SPIKELORE_KERNEL_LOG")
        for path in [chosen] if chosen else [_DEVICE, *_FILES]:
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            except OSError:
                continue
            os.lseek(descriptor, 0, os.SEEK_END)
            self._descriptor, self._source = descriptor, Path(path).name
            return

    def _read(self) -> bytes:
        taken = b""
        while self._descriptor is not None and len(taken) < _MAX_BYTES:
            try:
                block = os.read(self._descriptor, 8192)
            except BlockingIOError:
                break
            except OSError:
                # The ring buffer has overtaken us: the next read goes on at what is left.
                continue
            if not block:
                break
            taken += block
        return taken

    def _judge(self, line: str) -> None:
        text = line.split(";", 1)[-1] if self._source == "kmsg" else line
        for kind, pattern in _KINDS:
            if pattern.search(text):
                self._told += 1
                self.session.event(
                    "system", {"source": self._source, "kind": kind, "text": text.strip()[:300]}
                )
                return

    def end(self) -> None:
        """Close the log."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
