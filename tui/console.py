"""Output of the verbs: JSON for machines, tables for people, both safe when the reader goes away."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from rich.console import Console


def emit_json(value: Any) -> None:
    """Print a value as indented JSON."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def console() -> Console:
    """Return the console of standard output; wide enough for a table when it is no terminal."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 120
    return Console(width=width, highlight=False)


def print_markdown(text: str) -> None:
    """Print Markdown: laid out on a terminal, as it is into a file."""
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.markdown import Markdown

    console().print(Markdown(text))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """Print rows under headings, or the sentence that says what to do when there are none."""
    from rich import box
    from rich.table import Table

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row)
    console().print(table if table.row_count else empty)
