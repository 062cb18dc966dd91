"""Delimited tables: comma, tab, semicolon, pipe (Markdown too) or blanks, with headers as they come."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from .figures import has_decimal_comma, is_absent, number, with_point
from .names import guess
from .rows import Rows
from .sink import Sink
from .source import LogError, Sample, Source

_DELIMITERS = (",", "\t", ";", "|", " ")
_NONE = "\x1f"
"""Stands between the columns of a table that has only one: a character that no log has."""

_RULE = re.compile(r"^[\s|:+=-]+$")
_LOOKED_AT = 60
_WIDEST = 20_000


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes:
        delimiter: a character; a blank stands for any run of blanks.
        columns: unique names, unnamed ones numbered.
        header: the line they stand in; empty where there is none.
        decimal_comma: numbers are written as ``0,91``.
    """

    delimiter: str
    columns: tuple[str, ...]
    header: str
    decimal_comma: bool = False

    def cells(self, line: str) -> list[str]:
        """Split one line."""
        cells = split_cells(line, self.delimiter)
        return [with_point(cell) for cell in cells] if self.decimal_comma else cells


def split_cells(line: str, delimiter: str) -> list[str]:
    """Split one line into cells; a quote that is never closed is taken as text, not as a longer row."""
    if delimiter == " ":
        return line.split()
    if delimiter == "|":
        line = line.strip().strip("|")
    if '"' not in line:
        return line.split(delimiter)
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return line.split(delimiter)
    return cells


def layout_of(sample: Sample) -> Layout | None:
    """Return how the table in a sample is written; None where there is no table."""
    if sample.layout is None:
        sample.layout = find_layout(sample.lines) or ()
    return sample.layout if isinstance(sample.layout, Layout) else None


def find_layout(lines: Sequence[str]) -> Layout | None:
    """Return the layout of the first table in some lines: a header over a row of numbers."""
    for index, line in enumerate(lines[:_LOOKED_AT]):
        if line.lstrip().startswith(("{", "[{", "#")):
            continue
        below = [row for row in lines[index + 1 : index + 9] if not _RULE.match(row)]
        for delimiter in _DELIMITERS:
            header = split_cells(line, delimiter)
            if not _is_header(header):
                continue
            rows = [split_cells(row, delimiter) for row in below]
            comma = has_decimal_comma(cell for row in rows for cell in row)
            if _has_data(rows, delimiter, len(header), comma):
                return Layout(delimiter, unique(header), line, comma)
    return _one_column(lines) or _bare_layout(lines)


def _one_column(lines: Sequence[str]) -> Layout | None:
    """Return the layout of a single column under the name of a loss."""
    if len(lines) < 3 or guess(lines[0]).kind != "loss":
        return None
    numeric = all(number(line) is not None or is_absent(line) for line in lines[1:_LOOKED_AT])
    return Layout(_NONE, unique(lines[:1]), lines[0]) if numeric else None


def _is_header(cells: list[str]) -> bool:
    if not 2 <= len(cells) <= _WIDEST:
        return False
    if any("=" in cell or "%|" in cell for cell in cells):
        return False
    named = [cell for cell in cells if any(character.isalpha() for character in cell)]
    numeric = sum(number(cell) is not None for cell in cells)
    return len(named) >= max(1, len(cells) // 2) and numeric <= len(cells) // 4 and max(map(len, cells)) < 200


def _has_data(rows: Sequence[list[str]], delimiter: str, width: int, comma: bool) -> bool:
    good = even = 0
    for row in rows:
        cells = [with_point(cell) for cell in row] if comma else row
        numeric = sum(number(cell) is not None for cell in cells)
        empty = sum(is_absent(cell) for cell in cells)
        same = len(cells) == width if delimiter == " " else width // 2 < len(cells) <= width + 1
        good += bool(same and numeric and 2 * (numeric + empty) >= len(cells))
        # A table may be mostly text, but then its rows are as long as the header.
        even += bool(len(cells) == width > 2 and numeric and delimiter in ",;\t")
    return max(good, even) >= (len(rows) + 1) // 2 and max(good, even) > 0


def _bare_layout(lines: Sequence[str]) -> Layout | None:
    """Return the layout of a table of numbers without a header, whose columns are called by their number."""
    for delimiter in (*_DELIMITERS, _NONE):
        rows = [split_cells(line, delimiter) for line in lines[:20]]
        widths = {len(row) for row in rows}
        even = len(rows) > 1 and len(widths) == 1 and min(widths) >= (1 if delimiter == _NONE else 2)
        if even and all(number(cell) is not None or is_absent(cell) for row in rows for cell in row):
            return Layout(delimiter, tuple(map(str, range(min(widths)))), "")
    return None


def unique(header: Sequence[str]) -> tuple[str, ...]:
    """Return column names without padding, each once, the unnamed ones called ``#`` and their number."""
    names: list[str] = []
    taken: dict[str, int] = {}
    for index, cell in enumerate(header):
        name = cell.strip().strip("'\"") or f"#{index}"
        name = f"#{index}" if re.fullmatch(r"Unnamed: \d+", name) else name
        count = taken.get(name, 0)
        taken[name] = count + 1
        names.append(f"{name}.{count}" if count else name)
    return tuple(names)


class CsvFormat:
    """Base of the tables: a subclass says which headers are its own."""

    name: ClassVar[str] = ""
    example: ClassVar[str] = ""
    weight: ClassVar[float] = 0.8
    counter: ClassVar[str] = "step"
    """What an unnamed first column counts where no other column does."""

    def fits(self, columns: frozenset[str]) -> bool:
        """Tell whether a header is of this format."""
        raise NotImplementedError

    def renamed(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns under the names that are understood; an empty name leaves a column out."""
        return columns

    def sniff(self, sample: Sample) -> float:
        """Return ``weight`` where the header fits and names a loss."""
        if sample.path.is_dir() or sample.is_binary:
            return 0.0
        layout = layout_of(sample)
        if layout is None or not layout.header or not self.fits(frozenset(layout.columns)):
            return 0.0
        names = self.renamed(layout.columns)
        return self.weight if any(guess(name).kind == "loss" for name in names) else 0.0

    def read(self, source: Source, sink: Sink, mapping: Mapping[str, str]) -> None:
        """Read the table into a sink."""
        layout = layout_of(Sample(source.path, source.label))
        if layout is None:
            raise LogError(f"{source.label}: no table found; valid is a header over rows of numbers")
        names = self._named(layout, source.label, mapping)
        rows = Rows(sink, _by_number(mapping, layout, names), names)
        table = _Table(layout, names, self)
        for block in source.line_blocks():
            split = table.split(block)
            if split and rows.feed_block(table.names, split):
                source.line += len(block)
                continue
            for line in source.counted(block):
                if line and not line.isspace():
                    cells = table.cells(line)
                    if cells is not None and not (
                        cells and rows.feed_values(table.names, cells, source.line)
                    ):
                        sink.unread(source.line, line)
        rows.finish()

    def _named(self, layout: Layout, label: str, mapping: Mapping[str, str]) -> tuple[str, ...]:
        if not layout.header and not mapping:
            raise LogError(
                f"{label}: {len(layout.columns)} columns without a header; say which ones are meant, "
                "counted from 0: --map step=0 --map loss=1"
            )
        return self.prepared(layout.columns)

    def prepared(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names that rows are read under."""
        names = self.renamed(columns)
        kinds = {guess(name).kind for name in names}
        if names and names[0] == "#0" and not kinds & {"step", "epoch"}:
            per_epoch = any(guess(name).kind == "loss" and guess(name).split == "val" for name in names)
            return ("epoch" if per_epoch else self.counter, *names[1:])
        return names


def _by_number(mapping: Mapping[str, str], layout: Layout, names: tuple[str, ...]) -> dict[str, str]:
    """Resolve columns that are given by their number or by their name before it was changed."""
    resolved = {}
    for name, column in mapping.items():
        at = layout.columns.index(column) if column in layout.columns else None
        if at is None and column.isdigit() and int(column) < len(names):
            at = int(column)
        resolved[name] = column if at is None else names[at]
    return resolved


class _Table:
    """The rows of a table whose header may come again, with other columns, further down."""

    def __init__(self, layout: Layout, names: tuple[str, ...], form: CsvFormat) -> None:
        self.layout, self.names, self._form = layout, names, form
        self._started = not layout.header

    def split(self, block: list[str]) -> list[list[str]] | None:
        """Return the cells of many rows at once; None where any of them may need a closer look."""
        delimiter, width = self.layout.delimiter, len(self.names)
        if not self._started or delimiter in " |" or any('"' in line for line in block):
            return None
        rows = [line.split(delimiter) for line in block]
        return rows if all(len(row) == width for row in rows) else None

    def cells(self, line: str) -> list[str] | None:
        """Return a row's cells, none for a row that does not fit; None for a line that is no row."""
        if line == self.layout.header:
            self._started = True
            return None
        if not self._started or line[0] == "#" or _RULE.match(line):
            return None if self._started else []
        cells = self.layout.cells(line)
        width = len(self.names)
        if len(cells) != width:
            if self._is_new_header(cells):
                columns = unique(cells)
                self.layout = replace(self.layout, columns=columns, header=line)
                self.names = self._form.prepared(columns)
                return None
            if len(cells) == 1 or any(cell.strip() for cell in cells[width:]):
                return []
        return cells[:width]

    def _is_new_header(self, cells: list[str]) -> bool:
        return _is_header(cells) and len(set(unique(cells)) & set(self.layout.columns)) >= 2


def iterate(layout: Layout, lines: Iterator[str]) -> Iterator[list[str]]:
    """Yield the cells of the rows below the header."""
    started = not layout.header
    for line in lines:
        if line == layout.header:
            started = True
        elif started and line.strip():
            yield layout.cells(line)
