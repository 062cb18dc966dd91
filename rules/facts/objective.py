"""Facts of what is optimised: does the loss mean what it meant before?

The loss of single samples is computed again from predictions and labels. When the loss that the job
optimises leaps and the recomputed one does not, no prediction has become worse: the yardstick changed,
as with label smoothing, another weight of a term, or another reduction.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .context import SOON, Context, number
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("objective.typical_ratio", "number", "x",
             "median loss of single samples, computed again, after the onset over what was usual before",
             "骤升后重新计算的样本损失中位数与之前之比"),
    FactSpec("objective.worst_ratio", "number", "x",
             "largest loss of a single sample, computed again, after the onset over what was usual before",
             "骤升后重新计算的最大样本损失与之前之比"),
    FactSpec("objective.fresh_share", "number", "",
             "parameters that an optimizer begins to train at the onset over all that were trained before",
             "骤升时优化器新接管的参数占此前训练参数的比例", low=0.0),
    FactSpec("objective.moved", "number", "x", "loss right after the onset over what was usual before",
             "骤升后损失与之前之比"),
    FactSpec("objective.scale", "number", "x",
             "growth of the first bad loss beyond that of the losses of its samples, computed again",
             "首个异常损失的增长与其样本损失(重新计算)增长之比", low=0.0),
)  # fmt: skip

_USUAL = 90
"""Percentile of the baseline that counts as usual: a batch may be harder than the median."""
_FEWEST = 8


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the objective."""
    if context.onset is None:
        return
    for fact, name in (
        ("objective.typical_ratio", "loss.sample_p50"),
        ("objective.worst_ratio", "loss.sample_max"),
        ("objective.moved", "loss"),
    ):
        ratio = _against_usual(context, name)
        if ratio is not None:
            yield Fact(fact, ratio, context.aftermath)
    yield from _scale(context)
    yield from _fresh(context)


def _scale(context: Context) -> Iterator[Fact]:
    """Compare the first bad loss with its samples: no weight has moved since, so only the reduction can differ."""
    grown = {}
    for name in ("loss", "loss.sample_p50", "loss.sample_max"):
        base = context.before(name)
        now = context.series(name).between(context.at, context.at).value
        usual = float(np.percentile(base, _USUAL)) if len(base) >= _FEWEST else 0.0
        if not len(now) or not usual > 0 or not np.isfinite(now[0]):
            return
        grown[name] = float(now[0]) / usual
    loss = grown.pop("loss")
    # Samples that all became better leave the loss where it was at most.
    yield Fact("objective.scale", loss / max(1.0, *grown.values()), context.moment)


def _fresh(context: Context) -> Iterator[Fact]:
    """Tell a new part of the network, such as another head, from what was trained all along."""
    events = [e for e in context.events("optimizer", context.first, context.at) if "fresh" in e.data]
    begun = [e for e in events if e.data.get("first") and context.first < e.step >= context.at - 1]
    before = sum(number(e.data["fresh"]) or 0.0 for e in events if e not in begun)
    if before:
        new = sum(number(e.data["fresh"]) or 0.0 for e in begun)
        yield Fact("objective.fresh_share", new / before, context.moment)


def _against_usual(context: Context, name: str) -> float | None:
    base = context.before(name)
    soon = context.series(name).between(context.at, context.at + SOON).value
    if len(base) < _FEWEST or not len(soon):
        return None
    usual = float(np.percentile(base, _USUAL))
    return float(np.median(soon)) / usual if usual > 0 else None
