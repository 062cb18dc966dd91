"""Facts of what is optimised: does the loss mean what it meant before?

The loss of single samples is computed again from predictions and labels. When the loss that the job
optimises leaps and the recomputed one does not, no prediction has become worse: the yardstick changed,
as with label smoothing, another weight of a term, or another reduction.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...probes.evidence import Event
from ...probes.evidence.reader import FloatArray
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
    FactSpec("fresh.nonfinite", "bool", "", "parameters that an optimizer begins to train at the onset are not finite",
             "骤升时优化器新接管的参数含非有限值"),
    FactSpec("fresh.scale_ratio", "number", "x",
             "size of the parameters that an optimizer begins to train at the onset over that of the first ones",
             "骤升时新接管参数的尺度与最初参数之比", low=0.0),
    FactSpec("fresh.loss_vs_initial", "number", "x",
             "loss at the first step with those parameters over the first loss of the run",
             "新接管参数首步损失与运行首个损失之比", low=0.0),
    FactSpec("objective.moved", "number", "x", "loss right after the onset over what was usual before",
             "骤升后损失与之前之比"),
    FactSpec("objective.scale", "number", "x",
             "growth of the first bad loss beyond that of the losses of its samples, computed again",
             "首个异常损失的增长与其样本损失(重新计算)增长之比", low=0.0),
)  # fmt: skip

_LOSSES = ("loss", "loss.sample_p50", "loss.sample_max")
_GROWTH = ("objective.moved", "objective.typical_ratio", "objective.worst_ratio")
_LEVEL = 200
"""Latest steps with all three losses that make the baseline."""
_USUAL = 90
"""Percentile of the baseline that counts as usual: a batch may be harder than the median."""
_FEWEST = 8


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the objective."""
    if context.onset is None:
        return
    before = _before(context)
    soon = _together(context, context.at, context.at + SOON)
    if len(before) >= _FEWEST and len(soon):
        usual = np.percentile(before, _USUAL, axis=0)
        for fact, now, then in zip(_GROWTH, np.median(soon, axis=0), usual, strict=True):
            if then > 0:
                yield Fact(fact, float(now / then), context.aftermath)
    yield from _scale(context, before)
    yield from _fresh(context)


def _before(context: Context) -> FloatArray:
    """Return the losses of the baseline, or the nearest before it: a loss still falls, so older ones mislead."""
    inside = _together(context, *context.baseline)
    return (
        inside if len(inside) >= _FEWEST else _together(context, context.first, context.baseline[1], _FEWEST)
    )


def _together(context: Context, first: int, last: int, most: int = _LEVEL) -> FloatArray:
    """Return the loss and what was computed again of it, float64 [n, 3], on the last steps that have all three.

    Samples are looked at on some steps only; the loss of other steps says nothing about how both compare.
    """
    known = context.rank.series(_LOSSES[1]).between(first, last).step[-most:].tolist()
    first = known[0] if known else last + 1
    rows = ([number(r.v.get(name)) for name in _LOSSES] for r in context.records(first, last))
    whole = [row for row in rows if None not in row]
    values = np.array(whole, dtype=np.float64).reshape(len(whole), len(_LOSSES))
    return values[np.isfinite(values).all(axis=1)]


def _scale(context: Context, before: FloatArray) -> Iterator[Fact]:
    """Compare the first bad loss with its samples: no weight has moved since, so only the reduction can differ."""
    first = _together(context, context.at, context.at)
    if len(before) < _FEWEST or not len(first):
        return
    usual = np.percentile(before, _USUAL, axis=0)
    if (usual > 0).all():
        loss, *samples = first[0] / usual
        # Samples that all became better leave the loss where it was at most.
        yield Fact("objective.scale", float(loss / max(1.0, *samples)), context.moment)


def _fresh(context: Context) -> Iterator[Fact]:
    """Tell a new part of the network, such as another head, from what was trained all along."""
    events = [e for e in context.events("optimizer", context.first, context.at) if "fresh" in e.data]
    begun = [e for e in events if e.data.get("first") and context.first < e.step >= context.at - 1]
    before = sum(number(e.data["fresh"]) or 0.0 for e in events if e not in begun)
    if before:
        new = sum(number(e.data["fresh"]) or 0.0 for e in begun)
        yield Fact("objective.fresh_share", new / before, context.moment)
    if begun:
        yield from _values(context, events, begun)


def _values(context: Context, events: list[Event], begun: list[Event]) -> Iterator[Fact]:
    """Compare new parameters with those that training began with: a fresh part is no worse than a fresh whole."""
    broken = [bad for e in begun if (bad := number(e.data.get("fresh_nonfinite"))) is not None]
    if broken:
        yield Fact("fresh.nonfinite", any(broken), context.moment)
    first = number(events[0].data.get("fresh_scale"))
    scales = [scale for e in begun if (scale := number(e.data.get("fresh_scale"))) is not None]
    if first and scales:
        yield Fact("fresh.scale_ratio", max(scales) / first, context.moment)
    losses = context.rank.series("loss")
    then, now = losses.value[:1], losses.between(begun[-1].step, begun[-1].step).value
    if len(then) and len(now) and then[0] > 0 and np.isfinite(now[0]):
        yield Fact("fresh.loss_vs_initial", float(now[0] / then[0]), context.moment)
