"""Facts of attention: how large the scores before the softmax are, and whether they grew."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .context import Context, jump, slope
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("attn.logit_before", "number", "", "largest attention score before the onset", "骤升前最大注意力分数", low=0.0),
    FactSpec("attn.logit_growth", "number", "x", "growth of the largest attention score over the baseline",
             "基线期最大注意力分数增长倍数", low=0.0),
    FactSpec("attn.logit_ratio", "number", "x", "largest attention score at the onset over that before",
             "骤升时最大注意力分数与之前之比", low=0.0),
    FactSpec("attn.lead", "number", "steps", "steps by which attention scores left their past before the loss did",
             "注意力分数先于损失偏离的步数"),
)  # fmt: skip

_LATEST = 5


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of attention scores."""
    if context.onset is None:
        return
    base = context.before("attn.logit_max")
    if not len(base):
        return
    yield Fact("attn.logit_before", float(np.median(base[-_LATEST:])), context.baseline)
    history = context.rank.series("attn.logit_max").between(context.first, context.baseline[1]).value
    finite = history[np.isfinite(history)]
    if len(finite) >= 2 * _LATEST and finite[0] > 0:
        yield Fact("attn.logit_growth", slope(finite), (context.first, context.baseline[1]))
    moved = jump(context, "attn.logit_max")
    if moved is not None:
        yield Fact("attn.logit_ratio", moved.ratio, context.moment)
        if moved.lead is not None:
            yield Fact("attn.lead", float(moved.lead), context.moment)
