"""What a column is, told from its name alone: the words that training tools use for their quantities."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

VALIDATION = frozenset(
    ["val", "valid", "validation", "validate", "eval", "evaluation", "evaluate", "dev", "heldout", "holdout"]
)
TESTING = frozenset(("test", "testing"))
TRAINING = frozenset(["train", "training", "trn", "tr"])

_STEP_ORDER = (
    "global step",
    "trainer global step",
    "step",
    "steps",
    "current steps",
    "current step",
    "iteration",
    "iterations",
    "iter",
    "iters",
    "itr",
    "num updates",
    "updates",
    "update",
    "n updates",
    "niter",
    "n iter",
    "num iter",
    "it",
    "total timesteps",
    "num timesteps",
    "timesteps",
)
_EPOCH = frozenset(("epoch", "epochs", "current epoch", "epoch num", "ep", "num epoch", "epoch idx"))
_CLOCK = frozenset(("timestamp", "wall time", "walltime", "unix time", "wall clock"))
_GRAD = frozenset(
    (
        "grad norm",
        "gnorm",
        "gradnorm",
        "gradient norm",
        "grad l2 norm",
        "total grad norm",
        "global grad norm",
        "grad norm total",
        "grad 2 0 norm total",
        "grad 2 norm total",
        "grad norm l2",
        "norm grad",
        "grad norm before clip",
        "optim total grad norm",
    )
)
_RATE = re.compile(
    r"(?:(?:x|optimizer|optim|opt|scheduler|current|cur|base|params?|main|group|step|global) )*"
    r"(?:lr|learning rate)(?: (?:epoch|step|abs|group|param group|pg|adam|adamw|sgd|adafactor|lion))*"
    r"(?: ?(?:pg ?|group ?)?(\d+))?"
)
_SCALE = frozenset(("loss scale", "amp scale", "grad scale", "scaler scale", "loss scaler", "gradient scale"))
_OTHERS = {
    "batch size": "batch.size",
    "global batch size": "batch.size",
    "amp skipped": "amp.skipped",
    "params norm": "weight.norm",
    "param norm": "weight.norm",
    "weight norm": "weight.norm",
}
_ACCURACY = frozenset(["acc", "accuracy", "acc1", "top1"])
_PLAIN = frozenset(
    [
        "loss",
        "losses",
        "total",
        "avg",
        "average",
        "mean",
        "sum",
        "overall",
        "epoch",
        "step",
        "batch",
        "iter",
        "iteration",
        "perf",
        "metric",
        "metrics",
        "scalars",
        "scalar",
        "global",
        "log",
        "logs",
        "current",
        "cur",
        "lm",
        "model",
        "final",
        "per",
        "by",
        "on",
        "in",
        "the",
        "all",
        "full",
        "raw",
        "value",
        "objective",
    ]
)
_LOSSLIKE = frozenset(
    [
        "nll",
        "ce",
        "xent",
        "crossentropy",
        "entropy",
        "mse",
        "rmse",
        "elbo",
        "objective",
        "cost",
        "bce",
        "ctc",
        "perplexity",
        "ppl",
        "criterion",
        "bpb",
        "bpd",
        "nelbo",
        "energy",
        "err",
        "error",
    ]
)
_BLURRED = frozenset(
    [
        "best",
        "min",
        "max",
        "std",
        "ema",
        "smooth",
        "smoothed",
        "last",
        "prev",
        "previous",
        "var",
        "median",
        "running",
        "ratio",
        "weight",
    ]
)
_GLUED = re.compile(
    r"^(train|tr|val|valid|test|eval|avg|mean|total|epoch|batch)(loss|acc|accuracy|err|error)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
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


def split_words(column: str) -> tuple[str, ...]:
    """Return a name's words in lower case: ``valLoss`` and ``val_loss`` are (``val``, ``loss``)."""
    words: list[str] = []
    for word in _SPLIT.split(_CAMEL.sub("_", column[:200]).lower()):
        glued = _GLUED.match(word)
        if glued:
            words += glued.groups()
        elif word:
            words.append(word)
    return tuple(words)


def _split_of(words: tuple[str, ...]) -> str:
    found = set(words)
    if found & VALIDATION:
        return "val"
    if found & TESTING:
        return "test"
    return "train" if found & TRAINING else ""


def _counter(phrase: str, words: tuple[str, ...]) -> tuple[str, float] | None:
    if phrase in _STEP_ORDER:
        return "step", float(len(_STEP_ORDER) - _STEP_ORDER.index(phrase))
    if len(words) == 2 and words[0] == "time" and phrase.split(" ", 1)[-1] in _STEP_ORDER:
        return "step", 0.5
    if phrase in _EPOCH:
        return "epoch", 0.0
    return ("time", 0.0) if phrase in _CLOCK else None


def _quantity(phrase: str, rest: tuple[str, ...], split: str) -> Guess:
    if split in ("", "train"):
        rate = _RATE.fullmatch(phrase)
        if rate:
            return Guess("lr", split, -float(rate[1] or 0), rest)
        if phrase in _GRAD or phrase.removeprefix("optim ") in _GRAD:
            return Guess("grad.norm", split, 0.0, rest)
        if phrase in _SCALE:
            return Guess("amp.scale", split, 0.0, rest)
        if phrase in _OTHERS:
            return Guess(_OTHERS[phrase], split, 0.0, rest)
    if _ACCURACY & set(rest) and not _BLURRED & set(rest) and not {"5", "top5", "acc5"} & set(rest):
        return Guess("accuracy", split, -float(len(rest)), rest)
    rank = _loss_rank(rest, split)
    return Guess("loss", split, rank, rest) if rank is not None else Guess("other", split, 0.0, rest)


def _loss_rank(rest: tuple[str, ...], split: str) -> float | None:
    found = set(rest)
    if {"scale", "scaler", "lr", "count", "time", "weight"} & found:
        return None
    if {"loss", "losses"} & found:
        if found <= _PLAIN:
            rank = 98.0 if rest == ("loss",) else 90.0 - len(rest)
            rank += 12.0 if "total" in found else 0.0
            rank -= 3.0 if split == "train" else 0.0
            return rank - (4.0 if {"epoch", "avg", "average"} & found else 0.0)
        if found & _BLURRED:
            # A running mean stands in for the loss where nothing sharper is there; a best value never does.
            return 15.0 if found - {"running", "smooth", "smoothed", "ema"} <= _PLAIN else None
        return 40.0 - len(rest)
    if found & _LOSSLIKE and found <= _LOSSLIKE | _PLAIN | {"cross"}:
        return 20.0 - len(rest)
    return None


SINGLE = ("lr", "grad.norm", "amp.scale", *sorted(set(_OTHERS.values())))
"""Evidence names that one column is chosen for."""
