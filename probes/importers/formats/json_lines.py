"""JSON lines: the formats of tools that write one object a line, and any other by its keys."""

from __future__ import annotations

from ..jsonlines import JsonLinesFormat


class AnyJsonLines(JsonLinesFormat):
    """Any JSON lines with named values, nested objects by their path (``train/loss``).

    Recognised by an object on each line. The loss is the key that is named a total; ``--map loss=KEY`` says
    otherwise.
    """

    name = "jsonl"
    weight = 0.5
    example = '{"step": 1, "train": {"loss": 2.5}}\n{"step": 2, "train": {"loss": NaN}}\n'

    def fits(self, keys: frozenset[str]) -> bool:
        """Take any keys."""
        return bool(keys)


IMPORTERS = (AnyJsonLines(),)
