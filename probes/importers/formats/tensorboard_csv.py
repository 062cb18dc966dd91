"""TensorBoard: the CSV of one scalar that its page offers for download."""

from __future__ import annotations

from ..tables import CsvFormat

_STEPS = ("Step", "step", "index")
_TIMES = ("Wall time", "Wall Time", "timestamp")


class TensorBoardCsv(CsvFormat):
    """TensorBoard's download of one scalar, ``Wall time,Step,Value``; Neptune's is alike.

    Recognised by exactly those columns. The value is taken for the loss, as the file does not say which
    scalar it is.
    """

    name = "tensorboard-csv"
    weight = 0.9
    example = "Wall time,Step,Value\n1600000000.5,10,2.5\n1600000001.5,20,2.25\n"

    def fits(self, columns: frozenset[str]) -> bool:
        """Tell by the three columns."""
        return (
            len(columns) == 3
            and bool(columns & set(_STEPS) and columns & set(_TIMES))
            and "value" in {column.lower() for column in columns}
        )

    def renamed(self, columns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns under the names that are understood."""
        names = {**dict.fromkeys(_STEPS, "step"), **dict.fromkeys(_TIMES, "timestamp")}
        return tuple(names.get(column, "loss") for column in columns)


IMPORTERS = (TensorBoardCsv(),)
