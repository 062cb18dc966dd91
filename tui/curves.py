"""The curve behind a fact: facts are named after the quantity that they were computed from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..probes.evidence import RunDirectory
from .columns import Columns, Series
from .widgets.drawing import Line

ALIASES = {
    "loss": "loss",
    "train": "loss",
    "val": "val.loss",
    "gpu": "gpu.temperature/0",
}
"""First word of a fact's name -> quantity, where the names differ."""

KINDS = {"val.loss": "val", "loss": "train", "lr": "rate"}

_NAME = re.compile(rb'"([a-z][\w.]*(?:/\d+)?)":(?:-?[\d.]|"(?:nan|inf|-inf)")')
_HEAD = 1 << 16


@dataclass(frozen=True)
class Curve:
    """A quantity over steps."""

    name: str
    series: Series

    def line(self) -> Line:
        """Return it as a line of a plot."""
        kind = KINDS.get(self.name) or ("gradient" if self.name.startswith("grad") else "other")
        return Line("", kind, self.series.step, self.series.value)

    def around(self, step: int | None) -> tuple[float, float] | None:
        """Return the stretch round a step that shows a jump best, None for the whole run."""
        if step is None or not len(self.series):
            return None
        first, last = float(self.series.step[0]), float(self.series.step[-1])
        reach = max(0.15 * (last - first), 50.0)
        return max(first, step - reach), min(last, step + reach) if last > step else last


def curve_of_fact(run: RunDirectory, fact: str) -> Curve | None:
    """Return the recorded quantity that a fact was computed from, None where there is none."""
    for kind, names in recorded(run).items():
        name = quantity(fact, names)
        if name is not None:
            columns = Columns(run, **{**_NOTHING, kind: (name,)})
            columns.poll()
            return Curve(name, columns.series(name, kind.rstrip("_")))
    return None


_NOTHING: dict[str, tuple[str, ...]] = {"step": (), "eval_": (), "gauge": ()}


def quantity(fact: str, names: set[str]) -> str | None:
    """Return the longest recorded name that a fact's name begins with."""
    matches = [
        name for name in names if fact == name or fact.startswith((f"{name}.", f"{name}_", f"{name}/"))
    ]
    if matches:
        return max(matches, key=len)
    alias = ALIASES.get(fact.split(".", 1)[0])
    return alias if alias in names else None


def recorded(run: RunDirectory) -> dict[str, set[str]]:
    """Return the numeric quantities seen at both ends of the evidence, by the kind of record."""
    found: dict[str, set[str]] = {"step": set(), "eval_": set(), "gauge": set()}
    files = list(run.evidence_files())
    for rank, _, path in files:
        if rank != files[0][0]:
            break
        with path.open("rb") as stream:
            blocks = [stream.read(_HEAD)]
            stream.seek(max(stream.seek(0, 2) - 4 * _HEAD, 0))
            blocks.append(stream.read())
        for line in b"\n".join(blocks).split(b"\n"):
            for kind, names in found.items():
                if line.startswith(b'{"k":"' + kind.rstrip("_").encode() + b'"'):
                    names.update(name.decode() for name in _NAME.findall(line.partition(b'"v":')[2]))
    return found
