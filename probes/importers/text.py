"""Console text: what all importers of lines share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeAlias

from .remarks import remark
from .rows import Rows
from .sink import MemorySink, Sink
from .source import Sample, Source

LineReader: TypeAlias = Callable[[str, int], bool]
"""Takes a line and its number; returns whether it was understood; an ``end`` method is called after all."""

_SAMPLED = 4000
_LOOKED_AT = 64
"""Lines after which it is looked whether a loss was found."""

_RANK = re.compile(
    # torchrun and torch.distributed, scripts of their own, mpirun.
    r"^\s*(?:\[(?:default|rank ?)(\d{1,5})\](?::|\s)|rank ?(\d{1,5})\]?:\s|\[1,(\d{1,5})\]<std(?:out|err)>:)",
    re.IGNORECASE,
)
_EMPTY = re.compile(r"^[\s\-=*_#|+`~.>]*$")
_BAR = re.compile(r"\d%\|[^|]*\||\d(?:it/s|s/it)\b|\[\d\d:\d\d<")
_LONGEST = 20_000
"""Characters up to which a line is looked into; no line of a training log is longer."""


class TextFormat:
    """Base of the formats that are read line by line.

    A subclass gives ``start``, whose reader takes one line at a time. It is recognised by reading a sample:
    a format that finds losses in it is the right one, and the stricter formats have the higher ``weight``.
    """

    name: ClassVar[str] = ""
    example: ClassVar[str] = ""
    weight: ClassVar[float] = 0.9
    marks: ClassVar[tuple[str, ...]] = ()
    """Texts of which one has to occur, so that most formats need not be tried."""
    infer: ClassVar[bool] = True
    """Whether a loss that is missing among its companions is read as NaN."""
    columns: ClassVar[tuple[str, ...]] = ()
    """Columns known to belong to the format, so that a total loss is known before it is seen."""

    def start(self, rows: Rows) -> LineReader:
        """Return a reader with the state of one log."""
        raise NotImplementedError

    def sniff(self, sample: Sample) -> float:
        """Return ``weight`` where the format finds losses in the sample."""
        if sample.path.is_dir() or sample.is_binary:
            return 0.0
        if self.marks and not any(mark in sample.text for mark in self.marks):
            return 0.0
        return self.weight if self.tried(sample, enough=1).losses else 0.0

    def tried(self, sample: Sample, enough: int = 0) -> MemorySink:
        """Return what the format finds in a sample; it may stop at ``enough`` losses."""
        found = MemorySink()
        rows = Rows(found, columns=self.columns)
        read = self.start(rows)
        for index, line in enumerate(sample.lines[:_SAMPLED]):
            if len(line) <= _LONGEST:
                read(line, 0)
            if enough and index % _LOOKED_AT == 0 and found.losses >= enough:
                break
        _end(read)
        rows.finish()
        return found

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read a log into a sink, line by line."""
        # The names in a sample come first, or a part of the loss on the first line would pass for all of it.
        looked = self.tried(Sample(source.path, source.label)).columns()
        rows = Rows(sink, mapping, (*self.columns, *looked), self.infer)
        read = self.start(rows)
        ranks = _OneRank()
        for line in source.lines():
            if not line or line.isspace():
                continue
            if len(line) > _LONGEST:
                sink.unread(source.line, line)
                continue
            if ranks.is_other(line):
                continue
            if read(line, source.line):
                ranks.note(line)
            elif not remark(line, sink) and not _EMPTY.match(line) and not _BAR.search(line):
                sink.unread(source.line, line)
        _end(read)
        if ranks.left_out:
            sink.note(f"{ranks.left_out} lines of other ranks than {ranks.chosen} were left out")
        rows.finish()


def _end(read: LineReader) -> None:
    end = getattr(read, "end", None)
    if end is not None:
        end()


class _OneRank:
    """Follows one rank where the ranks of a job write into one log, each with its number in front."""

    def __init__(self) -> None:
        self.chosen: str | None = None
        self.left_out = 0

    def is_other(self, line: str) -> bool:
        if self.chosen is None:
            return False
        rank = _rank_of(line)
        if rank is None or rank == self.chosen:
            return False
        self.left_out += 1
        return True

    def note(self, line: str) -> None:
        if self.chosen is None:
            self.chosen = _rank_of(line)


def _rank_of(line: str) -> str | None:
    head = line[:24]
    if "rank" not in head.lower() and "default" not in head and "<std" not in head:
        return None
    match = _RANK.match(head)
    return match[match.lastindex] if match and match.lastindex else None
