"""Console text of a training script's own prints: names and numbers in any punctuation."""

from __future__ import annotations

import re
from typing import Any

from ..counters import Counted, counted
from ..names import guess
from ..prose import tokens
from ..remarks import is_overflow, remark
from ..rows import Rows
from ..sections import Repeats, Section
from ..source import Sample
from ..text import LineReader, TextFormat

_LONGEST = 4000
_CONTEXT = 60
"""Lines for which a counter on a line of its own holds."""

_MANY = 3
_SAID = 20.0
"""Rank from which a name says ``loss`` itself; other names need more rows."""

_MEAN = re.compile(r"averaged? stats|epoch summary|summary:", re.IGNORECASE)
_SETTINGS = re.compile(r"Namespace\(|^\s*(?:args|config|hparams|arguments)\b|\s--[a-z]\w*[ =]", re.IGNORECASE)
_COMPARED = re.compile(r"\d\s*-+>\s*[\d.]|improved from|did not improve|no improvement", re.IGNORECASE)
_MEASURED = frozenset(("loss", "accuracy"))
_KNOWN = _MEASURED | {"lr", "grad.norm", "amp.scale"}


class Console(TextFormat):
    """Any text with names and numbers: ``epoch 3 loss: 0.5 val_loss 0.6``, Keras and tqdm bars.

    Tried last. Recognised by a number that is named a loss, in English or Chinese. ``[3][10/500]``,
    ``Epoch 3/10`` and bars are counters; one on a line of its own holds for the lines below. The batches of a
    validation pass are averaged.
    """

    name = "console"
    weight = 0.3
    infer = False
    example = (
        "Epoch 1/2\nstep 10: loss: 0.52 | lr = 1e-3\nstep 20: loss: nan | lr = 1e-3\nval_loss 0.6, acc 71%\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader that remembers where the log stands."""
        return _Reader(rows)

    def sniff(self, sample: Sample) -> float:
        """Return a low score, none for a document or for a few numbers without the word loss."""
        if (
            sample.path.is_dir()
            or sample.is_binary
            or (sample.text.lstrip()[:1] == "{" and "'" not in sample.text)
        ):
            return 0.0
        found = self.tried(sample, enough=_MANY)
        said = any(
            guess(column).rank > _SAID for name in ("loss", "val.loss") for column in found.columns(name)
        )
        return self.weight if found.losses >= (1 if said else _MANY) else 0.0


class _Reader:
    """Keeps the epoch, the step of the last line that had one, and a validation pass under way."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._epoch: float | None = None
        self._base: float | None = None
        self._step: float | None = None
        self._held_step: float | None = None
        self._held_at = 0
        self._in_block = False
        self._line = 0
        self._begun = False
        self._section = Section()
        self._repeats = Repeats()
        self._pass: list[dict[str, float]] = []

    def __call__(self, line: str, place: int) -> bool:
        self._line += 1
        if len(line) > _LONGEST or is_overflow(line) or _SETTINGS.search(line):
            return False
        if _COMPARED.search(line):
            # Early stopping repeats an old loss, which is infinite at first.
            remark(line, self._rows.sink)
            return True
        read = tokens(line)
        if not read:
            return self._section.heading(line)
        found = counted(read, self._section.split)
        if self._section.ended_by(found):
            found = counted(read)
        kinds = found.kinds
        if kinds & _KNOWN and (kinds & _MEASURED or found.counts or self._begun):
            return bool(_MEAN.search(line)) or self._feed(found, place)
        if self._hold(found):
            return "loss" not in line.lower()
        # Below "[batch=10/100]:" there is a metric on each line.
        inside = self._in_block and bool(found.values) and self._line - self._held_at < _CONTEXT
        return inside and self._feed(found, place)

    def _hold(self, found: Counted) -> bool:
        """Keep counters that stand on a line of their own, or over a block; return whether they did."""
        if not found.counts or (found.values and not found.header):
            return False
        if found.epoch is not None:
            self._epoch = found.epoch
        if found.step is not None and not found.bar:
            self._held_step, self._held_at, self._in_block = found.step, self._line, found.header
        return True

    def _feed(self, found: Counted, place: int) -> bool:
        only_validation = bool(found.splits) and found.splits <= {"val", "test"}
        if only_validation and found.step is not None and (found.total is not None or self._pass):
            self._pass.append(found.values)
            return True
        self._end_pass()
        self._begun = True
        row = self._repeats.left_out(found)
        epoch, step = self._position(found, only_validation)
        if epoch is not None:
            row["epoch"] = epoch
        if step is not None:
            row["step"] = step
            if not only_validation:
                self._section.trained(step)
        return self._rows.feed(row, place)

    def _position(self, found: Counted, only_validation: bool) -> tuple[float | None, float | None]:
        own_epoch = found.epoch is not None
        if own_epoch:
            self._epoch = found.epoch
        step = found.step
        if only_validation and step is None:
            return self._epoch, self._step
        if step is None and not own_epoch and self._line - self._held_at < _CONTEXT:
            step = self._held_step
        elif step is not None and found.total and self._epoch is not None and (own_epoch or found.bar):
            # A counter with an end that belongs to an epoch counts within it.
            step += (self._epoch - self._first_epoch()) * found.total
        if step is not None:
            self._step = step
        return self._epoch, step

    def _first_epoch(self) -> float:
        if self._base is None:
            self._base = 0.0 if not self._epoch else 1.0
        return self._base

    def _end_pass(self) -> None:
        """Write the mean of a validation pass that was printed batch by batch."""
        batches, self._pass = self._pass, []
        if batches:
            row: dict[str, Any] = {}
            for name in batches[-1]:
                figures = [batch[name] for batch in batches if name in batch]
                row[name] = sum(figures) / len(figures)
            if self._epoch is not None:
                row["epoch"] = self._epoch
            if self._step is not None:
                row["step"] = self._step
            self._rows.feed(row)

    def end(self) -> None:
        self._end_pass()


IMPORTERS = (Console(),)
