"""Console text of a training script's own prints: names and numbers in any punctuation."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ..figures import number
from ..names import guess
from ..rows import Rows
from ..text import LineReader, TextFormat

_NUMBER = re.compile(
    r"(?<![\w@.])(?:[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|(?<=[:=\s(\[])[-+]?(?:nan|inf|NaN|NAN|Inf|infinity)"
    r")"
    r"(?![\w@]*[A-Za-z_@]{3})"
)
_LABEL = re.compile(r"[A-Za-z_][\w@./+-]*(?:[ _][A-Za-z_][\w@./+-]*){0,3}\s*$")
_WRAPPERS = re.compile(r"(?:tensor|np\.float\d\d|is|was|of|at|the|value)\s*$", re.IGNORECASE)
_PUNCTUATION = "'\"`*:=([{< \t"
_BREAK = re.compile(r"[,;|\])}]|\s-\s|\t|  +")
_LONGEST = 4000
_MOST_NUMBERS = 80


class Console(TextFormat):
    """Any text with names and numbers: ``epoch 3 ... loss: 0.5 val_loss 0.6``, Keras bars, ImageNet examples.

    Tried last. Recognised by a number that is named a loss. ``[3][10/500]`` and ``Epoch 3/10`` are counters;
    an epoch that stands on a line of its own holds for those below it.
    """

    name = "console"
    weight = 0.3
    example = (
        "Epoch 1/2\nstep 10: loss: 0.52 | lr = 1e-3\nstep 20: loss: nan | lr = 1e-3\nval_loss 0.6, acc 71%\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader that remembers the epoch."""
        return _Reader(rows)

    def sniff(self, sample: Any) -> float:
        """Return a low score, a very low one where only a single loss is found."""
        if "{" in sample.text[:1] or "loss" not in sample.text.lower():
            return 0.0
        return super().sniff(sample)


class _Reader:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._epoch: float | None = None
        self._last: dict[str, float] = {}

    def __call__(self, line: str, place: int) -> bool:
        if len(line) > _LONGEST or (not any(map(str.isdigit, line)) and "nan" not in line.lower()):
            return False
        found = pairs(line)
        if not found:
            return False
        row = self._counted(found)
        if not any(guess(name).kind in ("loss", "accuracy", "lr", "grad.norm") for name in row):
            return row.keys() <= {"step", "epoch"} and bool(row)
        return self._rows.feed(row, place)

    def _counted(self, found: list[tuple[str, float, float | None]]) -> dict[str, Any]:
        """Return a row with one step and one epoch, from whichever counters the line has."""
        row: dict[str, Any] = {}
        total: float | None = None
        for name, value, whole in found:
            kind = guess(name).kind if name else "step"
            if kind == "epoch":
                self._epoch = row["epoch"] = value
            elif not name or kind == "step" or name.lower() in ("batch", "b", "i"):
                if "step" not in row:
                    row["step"], total = value, whole
            elif name not in row:
                row[name] = value
        if "step" in row and total and "epoch" not in row and self._epoch is not None:
            row["epoch"] = self._epoch
        if "step" in row and total and row.get("epoch") is not None:
            # A counter with an end that belongs to an epoch counts within it.
            row["step"] += row["epoch"] * total
        if "epoch" not in row and self._epoch is not None:
            row["epoch"] = self._epoch
        return row


def pairs(line: str) -> list[tuple[str, float, float | None]]:
    """Return the numbers of a line as (name, value, total), total where the number is one of ``3/10``.

    A nameless number is kept where it has a total or stands in brackets behind an epoch.
    """
    found: list[tuple[str, float, float | None]] = []
    end = 0
    slash = False
    for match in list(_NUMBER.finditer(line))[:_MOST_NUMBERS]:
        gap = line[end : match.start()]
        value = number(match[0])
        end = match.end()
        if value is None:
            continue
        if slash or (gap.strip() == "/" and found):
            if found and gap.strip() == "/":
                name, previous, _ = found[-1]
                found[-1] = (name, previous, value)
            slash = False
            continue
        name = _name(gap)
        if name:
            found.append((name, value, None))
        elif _is_nameless_counter(line, match, gap):
            found.append(("", value, None))
    return [pair for pair in found if pair[0] or pair[2] is not None]


@lru_cache(maxsize=1 << 12)
def _name(gap: str) -> str:
    text = gap.rstrip(_PUNCTUATION)
    text = _WRAPPERS.sub("", text).rstrip(_PUNCTUATION)
    pieces = _BREAK.split(text)
    match = _LABEL.search(pieces[-1]) if pieces else None
    return match[0].strip() if match else ""


def _is_nameless_counter(line: str, match: re.Match[str], gap: str) -> bool:
    after = line[match.end() : match.end() + 3].lstrip()
    return after.startswith("/") and match[0].isdigit() and not gap.strip().endswith(("-", "/"))


IMPORTERS = (Console(),)
