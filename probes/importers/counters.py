"""What the numbers of a line of text count, and what they measure: epochs, steps and named values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .names import guess, split_words
from .prose import Token
from .vocabulary import TESTING, TRAINING, VALIDATION

_PLURAL = frozenset(("epochs", "steps", "iters", "iterations", "updates"))
_SPLITS = TRAINING | VALIDATION | TESTING
_JUDGED = ("loss", "accuracy")
_UNNAMED = guess("batch").rank
"""Rank of a counter without a name, as a step: ``[10/500]`` mostly counts batches."""


@dataclass
class Counted:
    """The numbers of one line.

    Attributes:
        epoch, step: counters, None where the line has none.
        total: what the step counts up to, None where the line does not say.
        bar: the step has no name, as in a progress bar.
        header: a named counter with an end is among them, as over a block of lines.
        values: everything else that has a name.
    """

    epoch: float | None = None
    step: float | None = None
    total: float | None = None
    bar: bool = False
    header: bool = False
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Tell whether the line has any counter."""
        return self.epoch is not None or self.step is not None

    @property
    def kinds(self) -> set[str]:
        """The kinds of the values; see `names.Guess`."""
        return {guess(name).kind for name in self.values}

    @property
    def splits(self) -> set[str]:
        """The splits that losses and accuracies are of."""
        return {guess(name).split for name in self.values if guess(name).kind in _JUDGED}


def counted(tokens: Sequence[Token], section: str = "") -> Counted:
    """Sort the numbers of a line into counters and values.

    Args:
        tokens: of the line.
        section: ``val`` in a part of the log that is all validation.
    """
    found = Counted()
    rank = -1.0
    has_loss = any(guess(token.name).kind == "loss" for token in tokens)
    mixed = any(token.split == "val" for token in tokens)
    for index, token in enumerate(tokens):
        kind = _kind(token, tokens[index + 1] if index + 1 < len(tokens) else None, found)
        if kind and not has_loss and token.name.lower() in _PLURAL:
            # "epochs: 100" in a configuration is how many there will be.
            found.values[token.name] = token.value
        elif kind == "epoch":
            found.epoch = token.value if found.epoch is None else found.epoch
        elif kind == "step":
            found.header |= bool(token.name) and token.total is not None
            own = guess(token.name).rank if token.name else _UNNAMED
            if own > rank:
                rank = own
                found.step, found.total, found.bar = token.value, token.total, not token.name
        elif token.name and not (token.listed and guess(token.name).kind == "loss"):
            found.values.setdefault(_named(token, has_loss, mixed, section), token.value)
    return found


def _kind(token: Token, after: Token | None, found: Counted) -> str:
    """Tell what a number counts; empty for a value."""
    # "Train: [0/300][10/1251]", "Train: 0 [10/1251]" and "[0/300][10/1251]" count the epoch first.
    followed = after is not None and not after.name and after.total is not None
    if not token.name:
        if token.total is None:
            return ""
        return "epoch" if followed and not found.counts else "step"
    words = set(split_words(token.name))
    kind = guess(token.name).kind
    if kind in ("step", "epoch") and token.whole:
        return kind
    if words <= _SPLITS and token.whole:
        return "epoch" if followed else "step" if token.total is not None else ""
    return ""


def _named(token: Token, has_loss: bool, mixed: bool, section: str) -> str:
    """Return a value's name with the split that the line says; a bare ``val: 0.5`` is a loss."""
    words = set(split_words(token.name))
    if has_loss and words and words <= _SPLITS and not token.whole:
        return f"{token.name} loss"
    found = guess(token.name)
    if found.split or found.kind not in _JUDGED:
        return token.name
    split = token.split or section
    # Where a line sums up both, its training loss is not that of the lines before.
    return f"{split} {token.name}" if split == "val" or (split == "train" and mixed) else token.name
