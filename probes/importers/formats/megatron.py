"""Megatron-LM and its descendants: the iteration lines of the training log."""

from __future__ import annotations

import re
from typing import Any

from ..figures import number
from ..rows import Rows
from ..text import LineReader, TextFormat

_ITERATION = re.compile(r"\biteration\s+(\d{1,15})\s*/\s*\d+\s*\|")
_VALIDATION = re.compile(r"(?:validation|valid\w*) loss at iteration\s+(\d{1,15})\b[^|]*\|(.*)")
_TORN = re.compile(r"\|\s*[^|]*$")


class Megatron(TextFormat):
    """Megatron-LM, Megatron-DeepSpeech, GPT-NeoX style text, also quoted in Markdown.

    Recognised by ``iteration N/ M | ... |``. The loss is ``lm loss`` (or the total where there is one). A
    loss that is missing while the other fields go on is NaN, unless the iteration was skipped.
    """

    name = "megatron"
    weight = 0.95
    marks = ("iteration",)
    columns = ("lm loss", "learning rate", "grad norm", "loss scale", "iteration")
    example = (
        " iteration     3383/    8000 | consumed samples:  216512 | learning rate: 6.680E-06 | lm"
        " loss: 7.334521E-01 |"
        " loss scale: 1.0 | grad norm: 0.752 | number of skipped iterations:   0 | number of nan"
        " iterations:   0 |\n"
        " validation loss at iteration 3384 | lm loss value: 7.1E-01 | lm loss PPL: 2.0E+00 |\n"
        " iteration     3384/    8000 | consumed samples:  216576 | learning rate: 6.678E-06 | lm"
        " loss: 7.072597E-01 |"
        " loss scale: 1.0 | grad norm: 0.741 | number of skipped iterations:   0 | number of nan"
        " iterations:   0 |\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader of iteration and validation lines."""

        def line(text: str, place: int) -> bool:
            if "iteration" not in text:
                return False
            found = _ITERATION.search(text)
            if found:
                return rows.feed(_row(found, text), place, infer=not _was_skipped(text))
            found = _VALIDATION.search(text)
            if not found:
                return False
            row: dict[str, Any] = {"iteration": found[1]}
            for key, value in _fields(found[2]):
                row[f"val {key.replace('value', '').strip()}"] = value
            return rows.feed(row, place)

        return line


def _row(found: re.Match[str], text: str) -> dict[str, Any]:
    row: dict[str, Any] = {"iteration": found[1]}
    rest = text[found.end() :]
    if not rest.rstrip().endswith("|"):
        # A torn line ends within a field, whose value cannot be trusted.
        rest = _TORN.sub("|", rest)
    for key, value in _fields(rest):
        if key.startswith("number of skipped"):
            if number(value):
                row["amp.skipped"] = 1
        elif "elapsed" not in key:
            row[key] = value
    return row


def _fields(text: str) -> list[tuple[str, str]]:
    """Return the ``name: value`` pairs between pipes."""
    pairs = [field.partition(":") for field in text.split("|")]
    return [(key.strip(), value.strip()) for key, found, value in pairs if found and value.strip()]


def _was_skipped(text: str) -> bool:
    skipped = re.search(r"skipped iterations:\s*([1-9]\d*)", text)
    return bool(skipped) and not re.search(r"nan iterations:\s*[1-9]", text)


IMPORTERS = (Megatron(),)
