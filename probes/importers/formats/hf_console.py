"""Hugging Face Trainer: the dictionaries that it prints between progress bars."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..rows import Rows
from ..text import LineReader, TextFormat

_DICT = re.compile(r"\{'[^{}]{3,20000}\}")
_PAIR = re.compile(r"'([^'\\]{1,120})':\s*(?:'([^']{0,80})'|([^,}\s]{1,80}))")
_BAR = re.compile(r"(\d{1,12})/(\d{1,12}) ?\[\d+:\d\d")
_NAMED_BAR = re.compile(r"^\s*[A-Za-z][^|]{0,60}:\s+\d+%")
_MOST_WAITING = 64


class HfConsole(TextFormat):
    """Hugging Face Trainer and TRL console output, ``{'loss': ...}`` between progress bars.

    Recognised by a Python dictionary with a ``loss`` or ``eval_loss``. The step is that of the progress bar
    before it; without bars the rows are counted. A summary at the end is no point of the curve.
    """

    name = "hf-console"
    weight = 0.9
    marks = ("'loss':", "'eval_loss':", "loss':")
    columns = ("loss", "eval_loss", "learning_rate", "grad_norm", "epoch")
    example = (
        "{'loss': 0.6623, 'grad_norm': 1.2, 'learning_rate': 0.0002, 'epoch': 0.24}\n"
        " 24%|##4       | 2564/10485 [3:15:13<10:06:35,  4.59s/it]\n"
        " 24%|##4       | 2565/10485 [3:15:17<10:03:00,  4.57s/it]\n"
        "{'loss': 0.0, 'grad_norm': nan, 'learning_rate': 0.0002, 'epoch': 0.24}\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader that knows where the progress bar stands."""
        return _Reader(rows)


class _Reader:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._at: int | None = None
        self._stood: int | None = None
        self._last: int | None = None
        self._total = 0
        self._waiting: list[dict[str, Any]] = []
        self._gave_up = False

    def __call__(self, line: str, place: int) -> bool:
        bar = self._bar(line)
        found = _DICT.search(line) if "{'" in line else None
        if found is None:
            return bar
        row = {key: text or bare for key, text, bare in _PAIR.findall(found[0])}
        if "train_runtime" in row:
            for key, value in row.items():
                self._rows.sink.setting(f"summary/{key}", value)
            return True
        if "step" not in row and not self._gave_up:
            if self._at is None:
                return self._wait(row)
            row["step"] = self._step_of(row)
        return self._rows.feed(row, place)

    def _bar(self, line: str) -> bool:
        """Follow the bar of training: other bars (tokenising, evaluation) have other totals or a name."""
        if "/" not in line:
            return False
        bars = _BAR.findall(line)
        if not bars or _NAMED_BAR.match(line):
            return bool(bars)
        at, total = map(int, bars[-1])
        if total >= self._total:
            # Evaluation is shorter than training in all but toy runs, and then its bar comes later.
            self._total, self._at = total, at
            self._release(at)
        return True

    def _step_of(self, row: Mapping[str, Any]) -> int:
        """Return the bar's step; a second row before the bar moves on belongs to the step after."""
        step = self._at or 0
        if "loss" in row:
            if self._stood == self._at and self._last is not None:
                step = self._last + 1
            self._stood, self._last = self._at, step
        return step

    def _wait(self, row: dict[str, Any]) -> bool:
        self._waiting.append(row)
        if len(self._waiting) > _MOST_WAITING:
            self._gave_up = True
            self._flush(None)
        return any("loss" in key for key in row)

    def _release(self, at: int) -> None:
        """Number the rows before the first bar backwards from it: the bar is drawn again after each row."""
        if self._waiting:
            self._flush(at - len(self._waiting) + 1)

    def _flush(self, first: int | None) -> None:
        waiting, self._waiting = self._waiting, []
        for index, row in enumerate(waiting):
            self._rows.feed(row if first is None else {**row, "step": first + index})
        if first is not None:
            self._stood = self._last = first + len(waiting) - 1

    def end(self) -> None:
        self._flush(None)


IMPORTERS = (HfConsole(),)
