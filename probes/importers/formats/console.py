"""Console text of a training script's own prints: names and numbers in any punctuation."""

from __future__ import annotations

import re
from typing import Any

from ..names import guess, split_words
from ..prose import Token, tokens
from ..remarks import is_overflow, remark
from ..rows import Rows
from ..source import Sample
from ..text import LineReader, TextFormat
from ..vocabulary import TESTING, TRAINING, VALIDATION

_LONGEST = 4000
_CONTEXT = 60
"""Lines for which a counter on a line of its own holds."""

_MANY = 3
_SAID = 20.0
"""Rank from which a name says ``loss`` itself; other names need more rows."""

_MEAN = re.compile(r"averaged? stats|epoch summary|summary:", re.IGNORECASE)
_SETTINGS = re.compile(r"Namespace\(|^\s*(?:args|config|hparams|arguments)\b|\s--[a-z]\w*[ =]", re.IGNORECASE)
_COMPARED = re.compile(r"\d\s*-+>\s*[\d.]|improved from|did not improve|no improvement", re.IGNORECASE)
_PLURAL = frozenset(("epochs", "steps", "iters", "iterations", "updates"))
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
        self._line = 0
        self._begun = False
        self._pass: list[dict[str, float]] = []

    def __call__(self, line: str, place: int) -> bool:
        self._line += 1
        if len(line) > _LONGEST or is_overflow(line) or _SETTINGS.search(line):
            return False
        if _COMPARED.search(line):
            # Early stopping repeats an old loss, which is infinite at first.
            remark(line, self._rows.sink)
            return True
        found = tokens(line)
        if not found:
            return False
        counters, values = self._sorted(found)
        kinds = {guess(name).kind for name in values}
        if not kinds & _KNOWN or not (kinds & _MEASURED or counters or self._begun):
            return self._hold(counters, values) and "loss" not in line.lower()
        if _MEAN.search(line):
            return True
        return self._feed(counters, values, place)

    def _sorted(self, found: list[Token]) -> tuple[dict[str, float], dict[str, Any]]:
        """Return the counters (``epoch``, ``step``, ``total``) and the named values of a line."""
        counters: dict[str, float] = {}
        values: dict[str, Any] = {}
        has_loss = any(guess(token.name).kind == "loss" for token in found)
        for index, token in enumerate(found):
            kind = _kind(token, found[index + 1] if index + 1 < len(found) else None)
            if kind and not has_loss and token.name.lower() in _PLURAL:
                # "epochs: 100" in a configuration is how many there will be.
                values[token.name] = token.value
            elif kind == "epoch":
                counters.setdefault("epoch", token.value)
            elif kind == "step":
                if "step" not in counters:
                    counters["step"] = token.value
                    if token.total:
                        counters["total"] = token.total
                        counters["bar"] = float(not token.name)
            elif token.name and not (token.listed and guess(token.name).kind == "loss"):
                values.setdefault(_named(token, has_loss), token.value)
        return counters, values

    def _hold(self, counters: dict[str, float], values: dict[str, Any]) -> bool:
        """Keep counters that stand on a line of their own; return whether they did."""
        if values or not counters:
            return False
        if "epoch" in counters:
            self._epoch = counters["epoch"]
        if "step" in counters and not counters.get("bar"):
            self._held_step, self._held_at = counters["step"], self._line
        return True

    def _feed(self, counters: dict[str, float], values: dict[str, Any], place: int) -> bool:
        splits = {guess(name).split for name in values if guess(name).kind in ("loss", "accuracy")}
        only_validation = bool(splits) and splits <= {"val", "test"}
        if only_validation and "step" in counters and ("total" in counters or self._pass):
            self._pass.append(values)
            return True
        self._end_pass()
        self._begun = True
        row = dict(values)
        epoch, step = self._position(counters, only_validation)
        if epoch is not None:
            row["epoch"] = epoch
        if step is not None:
            row["step"] = step
        return self._rows.feed(row, place)

    def _position(
        self, counters: dict[str, float], only_validation: bool
    ) -> tuple[float | None, float | None]:
        own_epoch = "epoch" in counters
        if own_epoch:
            self._epoch = counters["epoch"]
        step, total = counters.get("step"), counters.get("total")
        if only_validation and step is None:
            return self._epoch, self._step
        if step is None and not own_epoch and self._line - self._held_at < _CONTEXT:
            step = self._held_step
        elif step is not None and total and self._epoch is not None and (own_epoch or counters.get("bar")):
            # A counter with an end that belongs to an epoch counts within it.
            step += (self._epoch - self._first_epoch()) * total
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


def _kind(token: Token, after: Token | None) -> str:
    """Tell what a number counts; empty for a value."""
    if not token.name:
        return "step" if token.total is not None else ""
    words = set(split_words(token.name))
    kind = guess(token.name).kind
    if kind in ("step", "epoch") and token.whole:
        return kind
    if words <= TRAINING | VALIDATION | TESTING and token.whole:
        # "Train: [0/300][10/1251]" and "Train: 0 [10/1251]" count the epoch first.
        followed = after is not None and not after.name and after.total is not None
        return "epoch" if followed else "step" if token.total is not None else ""
    return ""


def _named(token: Token, has_loss: bool) -> str:
    """Return a value's name with the split that the line says; a bare ``val: 0.5`` is a loss."""
    words = set(split_words(token.name))
    if has_loss and words and words <= TRAINING | VALIDATION | TESTING:
        return f"{token.name} loss"
    found = guess(token.name)
    inherits = token.split == "val" and not found.split and found.kind in ("loss", "accuracy")
    return f"val {token.name}" if inherits else token.name


IMPORTERS = (Console(),)
