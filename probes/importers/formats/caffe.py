"""Caffe: the solver's lines in a glog file."""

from __future__ import annotations

import re

from ..figures import NUMBER
from ..rows import Rows
from ..text import LineReader, TextFormat

_VALUE = rf"({NUMBER}|-?nan|-?inf)"
_LOSS = re.compile(rf"\] Iteration (\d{{1,15}})(?: \([^)]*\))?, loss = {_VALUE}", re.IGNORECASE)
_RATE = re.compile(rf"\] Iteration (\d{{1,15}}), lr = {_VALUE}", re.IGNORECASE)
_TEST = re.compile(r"\] Iteration (\d{1,15}), Testing net")
_OUTPUT = re.compile(
    rf"\]\s+(Train|Test) net output #\d+: ([\w./-]+) = {_VALUE}(?: \(\* {_VALUE} = {_VALUE} loss\))?",
    re.IGNORECASE,
)
_SOLVER = re.compile(rf"^\s*([a-z_]+): (\"[^\"]{{0,200}}\"|{NUMBER}|[A-Za-z]\w*)\s*$")
_SETTINGS = frozenset(
    [
        "base_lr",
        "lr_policy",
        "gamma",
        "momentum",
        "weight_decay",
        "stepsize",
        "max_iter",
        "test_interval",
        "display",
        "type",
        "solver_type",
        "delta",
        "rms_decay",
        "momentum2",
        "clip_gradients",
        "iter_size",
        "batch_size",
    ]
)
_GLOG = re.compile(r"^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ")


class Caffe(TextFormat):
    """Caffe solver log (glog lines), with the solver's settings.

    Recognised by ``Iteration N, loss = X`` after a glog prefix. The loss is the smoothed one of the solver,
    the raw outputs are kept; the validation loss is the weighted sum of the test net's losses.
    """

    name = "caffe"
    weight = 0.95
    marks = ("Iteration ",)
    columns = ("loss", "lr", "val loss", "val accuracy")
    example = (
        "I0124 14:11:19.258646 16439 solver.cpp:236] Iteration 0, Testing net (#0)\n"
        "I0124 14:11:29.258646 16439 solver.cpp:409]     Test net output #0: loss = 7.0 (* 1 = 7.0 loss)\n"
        "I0124 14:11:30.258646 16439 solver.cpp:236] Iteration 0, loss = 7.35844\n"
        "I0124 14:11:30.258658 16439 sgd_solver.cpp:106] Iteration 0, lr = 0.01\n"
    )

    def start(self, rows: Rows) -> LineReader:
        """Return a reader that knows which iteration the outputs belong to."""
        return _Reader(rows)


class _Reader:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._iteration = "0"
        self._test: dict[str, float] = {}
        self._test_at = "0"

    def __call__(self, text: str, place: int) -> bool:
        if "] " not in text:
            return self._setting(text)
        if "net output" in text:
            return self._output(text, place)
        found = _TEST.search(text)
        if found:
            self._test_at = found[1]
            return True
        found = _LOSS.search(text)
        if found:
            self._iteration = found[1]
            return self._rows.feed({"iteration": found[1], "loss": found[2]}, place)
        found = _RATE.search(text)
        if found:
            return self._rows.feed({"iteration": found[1], "lr": found[2]}, place)
        return bool(_GLOG.match(text)) and "loss" not in text

    def _output(self, text: str, place: int) -> bool:
        found = _OUTPUT.search(text)
        if not found:
            return False
        phase, name, value, _, weighted = found.groups()
        if phase.lower() == "train":
            return self._rows.feed({"iteration": self._iteration, f"net/{name} output": value}, place)
        kind = "val loss" if weighted and "loss" in name else f"val {name}"
        # With auxiliary classifiers the last loss is that of the main one.
        return self._rows.feed({"iteration": self._test_at, kind: weighted or value}, place)

    def _setting(self, text: str) -> bool:
        found = _SOLVER.match(text)
        if found and found[1] in _SETTINGS:
            self._rows.sink.setting(found[1], found[2].strip('"'))
        return bool(found) or text.strip().endswith(("{", "}"))


IMPORTERS = (Caffe(),)
