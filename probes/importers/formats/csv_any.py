"""Any table of numbers under a header, and one without a header where the columns are given."""

from __future__ import annotations

from ..names import guess
from ..source import Sample
from ..tables import CsvFormat, layout_of


class AnyCsv(CsvFormat):
    """Any CSV, TSV or Markdown table with named columns.

    Recognised by a header over rows of numbers. The loss is the column that is named a total; of parts
    without a total a detector's are summed. ``--map loss=COLUMN`` says otherwise, by name or number.
    """

    name = "csv"
    weight = 0.45
    example = "step;train_loss;valid_loss\n1;0,91;\n2;0,85;0,9\n3;0,80;\n"

    def fits(self, columns: frozenset[str]) -> bool:
        """Take any header."""
        return bool(columns)

    def sniff(self, sample: Sample) -> float:
        """Return a low score for any table, a lower one for a table whose loss only the user knows."""
        score = super().sniff(sample)
        if score or sample.path.is_dir() or sample.is_binary:
            return score
        layout = layout_of(sample)
        if layout is None:
            return 0.0
        counted = any(guess(name).kind in ("step", "epoch") for name in layout.columns)
        return 0.15 if counted or not layout.header else 0.05


IMPORTERS = (AnyCsv(),)
