"""Filling a table at once: columns as wide as their cells need, cursor and scroll kept."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import DataTable

from ..language import tr


def fill(
    table: DataTable[Content],
    names: Sequence[str],
    rows: dict[str, list[Content]],
    translated: bool = True,
) -> None:
    """Show rows by key under headings; the cursor stays on its row if that is still there.

    Args:
        translated: whether the headings are texts of the interface; names of runs are not.
    """
    chosen, offset = cursor_key(table), table.scroll_offset
    with table.app.batch_update():
        if not _updated(table, names, rows):
            table.clear(columns=True)
            for index, name in enumerate(names):
                width = max((cells[index].cell_length for cells in rows.values()), default=0)
                heading = tr(name) if translated else name
                table.add_column(heading, width=max(width, cell_len(heading)), key=name)
            for key, cells in rows.items():
                table.add_row(*cells, key=key)
            if chosen in rows:
                table.move_cursor(row=list(rows).index(chosen), scroll=False)
                table.scroll_to(*offset, animate=False)


def _updated(table: DataTable[Content], names: Sequence[str], rows: dict[str, list[Content]]) -> bool:
    """Write the cells into the rows that are there already, if they are the same rows."""
    if [key.value for key in table.columns] != list(names) or [key.value for key in table.rows] != list(rows):
        return False
    widths = [column.width for column in table.columns.values()]
    if any(
        cell.cell_length > width for cells in rows.values() for cell, width in zip(cells, widths, strict=True)
    ):
        return False
    for key, cells in rows.items():
        for name, cell in zip(names, cells, strict=True):
            if table.get_cell(key, name) != cell:
                table.update_cell(key, name, cell)
    return True


def cursor_key(table: DataTable[Content]) -> str | None:
    """Return the key of the row under the cursor, None in an empty table."""
    if not table.row_count or not table.is_valid_coordinate(table.cursor_coordinate):
        return None
    return table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
