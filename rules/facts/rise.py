"""Facts of what grew along with the loss, for losses that rise by and by rather than jump."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .context import Context
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("loss.rise", "number", "x", "training loss at the end over that before the onset",
             "末尾训练损失与骤升前之比", low=0.0),
    FactSpec("output.rise", "number", "x", "largest logit at the end over that before the onset",
             "末尾最大 logit 与骤升前之比", low=0.0),
    FactSpec("act.rise", "number", "x", "largest signal inside the network at the end over that before the onset",
             "末尾网络内部最大信号与骤升前之比", low=0.0),
    FactSpec("weight.rise", "number", "x", "weight norm at the end over that before the onset",
             "末尾权重范数与骤升前之比", low=0.0),
    FactSpec("grad.rise", "number", "x", "gradient norm at the end over that before the onset",
             "末尾梯度范数与骤升前之比", low=0.0),
    FactSpec("attn.rise", "number", "x", "largest attention score at the end over that before the onset",
             "末尾最大注意力分数与骤升前之比", low=0.0),
    FactSpec("attn.peak_before", "number", "", "mean greatest weight of an attention row before the onset",
             "骤升前注意力行的平均最大权重", low=0.0, high=1.0),
    FactSpec("gate.load_before", "number", "", "largest mean weight of one entry of a router before the onset",
             "骤升前路由器单项的最大平均权重", low=0.0, high=1.0),
    FactSpec("gate.load_after", "number", "", "the same at the end", "末尾该值", low=0.0, high=1.0),
    FactSpec("attn.peak_after", "number", "", "the same at the end", "末尾该值", low=0.0, high=1.0),
)  # fmt: skip

_RISES = {
    "output.rise": "output.max",
    "act.rise": "act.size",
    "weight.rise": "weight.norm",
    "grad.rise": "grad.norm",
    "attn.rise": "attn.logit_max",
}
_LEVEL = 32
"""Losses whose median is a level."""
_LAST = 3
"""Latest values whose median counts as the end; of few in all, the last."""


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of what rose."""
    if context.onset is None:
        return
    losses = context.rank.series("loss")
    then = losses.between(context.first, context.at - 1).value[-_LEVEL:]
    now = losses.between(context.at, context.last).value[-_LEVEL:]
    then, now = then[np.isfinite(then)], now[np.isfinite(now)]
    if len(then) and len(now) and np.median(then) > 0:
        yield Fact("loss.rise", float(np.median(now) / np.median(then)), (context.at, context.last))
    for fact, name in _RISES.items():
        before, after = _levels(context, name)
        if before and after is not None:
            yield Fact(fact, after / before, (context.at, context.last))
    for name in ("attn.peak", "gate.load"):
        before, after = _levels(context, name)
        if before is not None and after is not None:
            yield Fact(f"{name}_before", before, context.baseline)
            yield Fact(f"{name}_after", after, (context.at, context.last))


def _levels(context: Context, name: str) -> tuple[float | None, float | None]:
    """Return the level before the onset and at the end of the run, None where it is not known."""
    base = context.before(name)
    later = context.rank.series(name).between(context.at, context.last).value
    later = later[np.isfinite(later)]
    later = later[-_LAST if len(later) > 2 * _LAST else -1 :]
    before = float(np.median(base)) if len(base) else None
    return before, float(np.median(later)) if len(later) else None
