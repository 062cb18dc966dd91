"""What a column is, told from its name alone: the words that training tools use for their quantities."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .vocabulary import (
    ACCURACY,
    BLURRED,
    CHINESE,
    CLOCKS,
    EPOCHS,
    EXPONENTIAL,
    GRADIENT_NORMS,
    LOSS_SCALES,
    LOSSLIKE,
    NO_LOSS,
    OTHERS,
    PLAIN,
    RATE,
    STEPS,
    TESTING,
    TRAINING,
    VALIDATION,
)

_GLUED = re.compile(
    r"^(train|tr|val|valid|test|eval|avg|mean|total|epoch|batch)(loss|acc|accuracy|err|error)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z](?:[a-z]|[A-Z]))")
_FIRST_OF = re.compile(r"(\b[A-Za-z]+)(?:_[01])?'s\b")
_SPLIT = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Guess:
    """What a column's name says.

    Attributes:
        kind: ``step``, ``epoch``, ``time``, ``accuracy``, ``loss``, an evidence name such as ``lr``, or
            ``other``.
        split: ``train``, ``val``, ``test``, or empty where the name does not say.
        rank: how likely the column is the one meant among several of its kind; higher wins. Losses of 60
            and more are totals, below they are parts.
        words: the name's words, those of the split left out.
    """

    kind: str
    split: str = ""
    rank: float = 0.0
    words: tuple[str, ...] = ()


@lru_cache(maxsize=1 << 14)
def guess(column: str) -> Guess:
    """Return what a column's name says."""
    words = split_words(column)
    split = _split_of(words)
    rest = tuple(
        word for word in words if word not in TRAINING and word not in VALIDATION and word not in TESTING
    )
    phrase = " ".join(rest)
    if split in ("", "train") or phrase in ("step", "epoch"):
        counter = _counter(phrase, words)
        if counter:
            return Guess(counter[0], split, counter[1], rest)
    return _quantity(phrase, rest, split)


@lru_cache(maxsize=1 << 14)
def split_words(column: str) -> tuple[str, ...]:
    """Return a name's words in lower case: ``valLoss`` and ``val_loss`` are (``val``, ``loss``)."""
    words: list[str] = []
    plain = column[:200]
    if not plain.isascii():
        for chinese, english in CHINESE:
            plain = plain.replace(chinese, english)
    # LightGBM writes "valid_1's l2": the first of its validation sets.
    plain = _FIRST_OF.sub(r"\1", plain)
    for word in _SPLIT.split(_CAMEL.sub("_", plain).lower()):
        glued = _GLUED.match(word)
        if glued:
            words += glued.groups()
        elif word:
            words.append(word)
    if len(words) > 1 and words[0] == "l":
        # l_pix, l_g_gan: losses of image restoration code.
        words[0] = "loss"
    return tuple(words)


def _split_of(words: tuple[str, ...]) -> str:
    found = set(words)
    if found & VALIDATION:
        return "val"
    if found & TESTING:
        return "test"
    return "train" if found & TRAINING else ""


def _counter(phrase: str, words: tuple[str, ...]) -> tuple[str, float] | None:
    if phrase in STEPS:
        return "step", float(len(STEPS) - STEPS.index(phrase))
    if words[:1] == ("time",) and phrase.removeprefix("time ") in STEPS:
        # Reinforcement learning counts iterations of a kind; the frames seen are on every row.
        return "step", 0.6 if "timesteps" in phrase else 0.5
    if phrase in EPOCHS:
        return "epoch", 0.0
    return ("time", 0.0) if phrase in CLOCKS else None


def _quantity(phrase: str, rest: tuple[str, ...], split: str) -> Guess:
    if split in ("", "train"):
        rate = RATE.fullmatch(phrase)
        if rate:
            return Guess("lr", split, -float(rate[1] or 0), rest)
        if phrase in GRADIENT_NORMS or phrase.removeprefix("optim ") in GRADIENT_NORMS:
            return Guess("grad.norm", split, 0.0, rest)
        if phrase in LOSS_SCALES:
            return Guess("amp.scale", split, 0.0, rest)
        if phrase in OTHERS:
            return Guess(OTHERS[phrase], split, 0.0, rest)
    if ACCURACY & set(rest) and not BLURRED & set(rest) and not {"5", "top5", "acc5"} & set(rest):
        return Guess("accuracy", split, -float(len(rest)), rest)
    rank = _loss_rank(rest, split)
    return Guess("loss", split, rank, rest) if rank is not None else Guess("other", split, 0.0, rest)


def _loss_rank(rest: tuple[str, ...], split: str) -> float | None:
    found = set(rest)
    if NO_LOSS & found:
        return None
    if {"loss", "losses"} & found:
        if found <= PLAIN:
            rank = 98.0 if rest == ("loss",) else 90.0 - len(rest)
            rank += 12.0 if "total" in found else 0.0
            rank -= 3.0 if split == "train" else 0.0
            return rank - (4.0 if {"epoch", "avg", "average"} & found else 0.0)
        if found & BLURRED:
            # A running mean stands in for the loss where nothing sharper is there; a best value never does.
            return 15.0 if found - {"running", "smooth", "smoothed", "ema"} <= PLAIN else None
        return 40.0 - len(rest)
    if found & LOSSLIKE and found <= LOSSLIKE | PLAIN | {"cross", "multi", "binary"}:
        return (10.0 if found & EXPONENTIAL else 20.0) - len(rest)
    return None


SINGLE = ("lr", "grad.norm", "amp.scale", *sorted(set(OTHERS.values())))
"""Evidence names that one column is chosen for."""
