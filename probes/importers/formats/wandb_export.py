"""Weights & Biases: tables exported from charts and run histories."""

from __future__ import annotations

import re

from ..tables import CsvFormat


class WandbExport(CsvFormat):
    """Weights & Biases CSV export of a chart or of a run's history.

    Recognised by ``_step``, ``_runtime`` or ``_timestamp``, or by the ``__MIN`` and ``__MAX`` columns of a
    chart, whose run name in front is left out. Of several runs in one chart the first is read.
    """

    name = "wandb-export"
    weight = 0.85
    example = (
        '"Step","calm-sea-1 - train/loss","calm-sea-1 - train/loss__MIN","calm-sea-1 - train/loss__MAX"\n'
        '"0","2.31","2.31","2.31"\n"10","1.9","1.9","1.9"\n'
    )

    def fits(self, columns: frozenset[str]) -> bool:
        """Tell by the columns that the service adds."""
        return len(columns & {"_step", "_runtime", "_timestamp"}) >= 2 or any(
            c.endswith("__MIN") for c in columns
        )

    def renamed(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns without run names, and without the spread that a chart adds."""
        runs = [column.rsplit(" - ", 1)[0] for column in columns if " - " in column]
        names: list[str] = []
        for column in columns:
            name = column
            if " - " in column:
                run, name = column.rsplit(" - ", 1)
                name = name if run == runs[0] else f"other run/{run}"
            names.append("#spread" if re.search(r"__(?:MIN|MAX)(?:\.\d+)?$", name) else name)
        return tuple("timestamp" if name == "_timestamp" else name for name in names)


IMPORTERS = (WandbExport(),)
