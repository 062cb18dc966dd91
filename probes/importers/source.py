"""Opening a log: compressed or not, in any common encoding, as lines of bounded length."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from ..evidence import EvidenceError

BLOCK = 1 << 20
LONGEST_LINE = 1 << 22
"""Characters after which a line is cut: a log without line feeds must not fill the memory."""

LINES_A_BLOCK = 512

HEAD = 1 << 18
"""Bytes that a format is recognised by, at the start; a quarter of it more from the middle and the end."""

_MAGIC = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"))
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-_])|[\x00\x08]")
_CUT_OFF = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)


class LogError(EvidenceError):
    """A log that cannot be imported; the message names the place, the problem and what is valid."""


class Source:
    """One log, a file or the folder of a run.

    Attributes:
        path: where it lies.
        run: which run, in a file that keeps several; empty for the only one.
        damage: what ended the reading early, empty while nothing did.
        line: number of the line read last, from 1.
    """

    def __init__(self, path: Path, label: str = "") -> None:
        self.path, self.run = store_and_run(path)
        self.label = label or str(path)
        self.damage = ""
        self.line = 0

    @cached_property
    def compression(self) -> str:
        """``gzip``, ``bzip2``, ``xz`` or empty."""
        with self.path.open("rb") as stream:
            start = stream.read(6)
        return next((name for magic, name in _MAGIC if start.startswith(magic)), "")

    def open(self) -> IO[bytes]:
        """Return the content as a stream of bytes, decompressed."""
        openers = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
        opener = openers.get(self.compression)
        return opener(self.path, "rb") if opener else self.path.open("rb")  # type: ignore[operator]

    def blocks(self, size: int = BLOCK) -> Iterator[bytes]:
        """Yield the content in blocks; a compressed file that is cut off ends early and sets ``damage``."""
        with self.open() as stream:
            # A read of the whole size would lose what was decompressed before the damage.
            read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
            while True:
                try:
                    block = read(size)
                except _CUT_OFF as error:
                    self.damage = f"the {self.compression} data is damaged or cut off ({error})"
                    return
                except OSError as error:
                    if not self.compression:
                        raise
                    self.damage = f"the {self.compression} data is damaged ({error})"
                    return
                if not block:
                    return
                yield block

    def read(self, limit: int) -> bytes:
        """Return the whole content.

        Raises:
            LogError: it is larger than ``limit`` bytes.
        """
        parts: list[bytes] = []
        size = 0
        for block in self.blocks():
            parts.append(block)
            size += len(block)
            if size > limit:
                raise LogError(
                    f"{self.label}: larger than {limit >> 20} MiB, which one JSON document may have"
                )
        return b"".join(parts)

    def text(self, limit: int) -> str:
        """Return the whole content as text; like `read`."""
        content = self.read(limit)
        return content.decode(encoding_of(content), errors="replace").lstrip("\ufeff")

    def lines(self) -> Iterator[str]:
        """Yield the lines without their ends; a carriage return ends one too, as progress bars use it."""
        for block in self.line_blocks():
            yield from self.counted(block)

    def line_blocks(self) -> Iterator[list[str]]:
        """Yield the lines in blocks, for readers that take many at once; they have to be `counted`."""
        decoder: codecs.IncrementalDecoder | None = None
        rest = ""
        for block in self.blocks():
            if decoder is None:
                decoder = codecs.getincrementaldecoder(encoding_of(block))("replace")
            text = rest + decoder.decode(block)
            # The line feed that belongs to a carriage return may be the next block's first character.
            end = len(text) - text.endswith("\r")
            lines = _plain(text[:end]).split("\n")
            rest = lines.pop() + text[end:]
            yield from _pieces(lines)
            if len(rest) > LONGEST_LINE:
                yield [rest]
                rest = ""
        if decoder is not None:
            rest = _plain(rest + decoder.decode(b"", True))
        if rest:
            yield from _pieces(rest.split("\n"))

    def counted(self, block: list[str]) -> Iterator[str]:
        """Yield the lines of a block, counting them in ``line``."""
        for line in block:
            self.line += 1
            yield line


def _pieces(lines: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(lines), LINES_A_BLOCK):
        yield lines[start : start + LINES_A_BLOCK]


def _plain(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x1b" in text or "\x00" in text or "\x08" in text:
        text = _ESCAPE.sub("", text)
    return text.replace("\ufeff", "") if "\ufeff" in text else text


def encoding_of(start: bytes) -> str:
    """Return the encoding that a byte order mark or, without one, the pattern of zero bytes tells."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    sample = start[:4096]
    if len(sample) >= 4 and sample.count(0) > len(sample) // 3:
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        if odd > 8 * even:
            return "utf-16-le"
        if even > 8 * odd:
            return "utf-16-be"
    return "utf-8"


def store_and_run(path: Path) -> tuple[Path, str]:
    """Return the file that a path leads into and the run in there, as in ``mlflow.db/RUN``.

    For a path that is there itself the run is empty.
    """
    inside = not path.exists() and path.parent.is_file()
    return (path.parent, path.name) if inside else (path, "")


class Sample:
    """What a format is recognised by: the start of a file, and parts of its middle and end.

    Attributes:
        path: the file, or the folder of a run.
        head: the first bytes, decompressed; empty for a folder.
    """

    def __init__(self, path: Path, label: str = "") -> None:
        self.source = Source(path, label)
        self.path = self.source.path
        self.head = b"" if self.path.is_dir() else self._first(HEAD)
        self.layout: object = None
        self.objects: list[dict[str, Any]] | None = None

    def _first(self, size: int) -> bytes:
        content = b""
        for block in self.source.blocks(size):
            content += block
            if len(content) >= size:
                break
        return content[:size]

    @cached_property
    def is_binary(self) -> bool:
        """The content is no text in any encoding that is understood."""
        if encoding_of(self.head) != "utf-8":
            return False
        start = self.head[:8192]
        # Progress bars go back by backspaces (8), and some ring the bell (7).
        return start.count(0) > 4 or sum(byte < 7 for byte in start) > len(start) // 20

    @cached_property
    def text(self) -> str:
        """The start as text."""
        return _plain(self.head.decode(encoding_of(self.head), errors="replace"))

    @cached_property
    def lines(self) -> list[str]:
        """Whole lines of the start, the middle and the end."""
        lines = self.text.split("\n")
        if len(self.head) >= HEAD:
            lines = lines[:-1]
        return [line for line in lines + self._later_lines() if line.strip()]

    def _later_lines(self) -> list[str]:
        if self.source.compression or len(self.head) < HEAD or encoding_of(self.head) != "utf-8":
            return []
        size, part = self.path.stat().st_size, HEAD // 4
        found: list[str] = []
        with self.path.open("rb") as stream:
            for start in (max(HEAD, size // 2), max(HEAD, size - part)):
                stream.seek(start)
                text = _plain(stream.read(part).decode("utf-8", errors="replace"))
                # The first line is torn, and the last may be.
                found += text.split("\n")[1:-1]
        return found
