"""nanoGPT: the iteration and evaluation lines, and the log of build-nanogpt."""

from __future__ import annotations

import re

from ..figures import NUMBER
from ..rows import Rows
from ..text import LineReader, TextFormat

_VALUE = rf"({NUMBER}|-?nan|-?inf)"
_ITER = re.compile(rf"\biter (\d{{1,15}}): loss {_VALUE}", re.IGNORECASE)
_STEP = re.compile(rf"\bstep (\d{{1,15}}): train loss {_VALUE}, val loss {_VALUE}", re.IGNORECASE)
_BUILD = re.compile(rf"^\s*(\d{{1,15}}) (train|val|hella) {_VALUE}\s*$", re.IGNORECASE)


class NanoGpt(TextFormat):
    """nanoGPT console text, with or without times in front.

    Recognised by ``iter N: loss X`` and ``step N: train loss X, val loss Y``. The loss is that of the
    iterations; the training loss of an evaluation is kept as ``train.loss`` beside ``val.loss``.
    """

    name = "nanogpt"
    weight = 0.95
    marks = ("iter ", "Iter ", "step ")
    columns = ("loss", "train loss", "val loss")
    example = (
        "step 0: train loss 4.28, val loss 4.27\niter 0: loss 4.26, time 21.1ms, mfu -100.00%\niter"
        " 10: loss nan\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader of both kinds of lines."""

        def line(text: str, place: int) -> bool:
            found = _ITER.search(text)
            if found:
                return rows.feed({"iter": found[1], "loss": found[2]}, place)
            found = _STEP.search(text)
            if found:
                return rows.feed({"iter": found[1], "train loss": found[2], "val loss": found[3]}, place)
            return False

        return line


class BuildNanoGpt(TextFormat):
    """build-nanogpt ``log.txt``: step, kind and value on each line.

    Recognised by lines such as ``250 val 4.5``. The loss is ``train``; ``hella`` is kept as an extra.
    """

    name = "build-nanogpt"
    weight = 0.95
    marks = (" train ", " val ")
    columns = ("loss", "val loss", "val hella accuracy_norm")
    example = "0 val 10.9522\n0 hella 0.2487\n0 train 10.955010\n1 train 10.014891\n"

    def start(self, rows: Rows) -> LineReader:
        """Return a reader of one value a line."""
        names = {"train": "loss", "val": "val loss", "hella": "val hella"}

        def line(text: str, place: int) -> bool:
            found = _BUILD.match(text)
            if not found:
                return False
            return rows.feed({"step": found[1], names[found[2].lower()]: found[3]}, place)

        return line


IMPORTERS = (NanoGpt(), BuildNanoGpt())
