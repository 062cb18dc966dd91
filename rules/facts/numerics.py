"""Facts of number formats: loss scale, skipped steps, losses that are not defined."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .context import SOON, Context
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("amp.scaler", "bool", "", "a gradient scaler is in use", "使用了梯度缩放器", standing=True),
    FactSpec("amp.scale", "number", "", "loss scale at the spike", "骤升时的损失缩放", low=0.0),
    FactSpec("amp.scale_drop", "number", "x", "loss scale before the onset over the scale at the spike",
             "骤升前后损失缩放之比", low=0.0),
    FactSpec("amp.scale_lost", "number", "x", "loss scale before the onset over the smallest one after it",
             "骤升前损失缩放与此后最小缩放之比", low=0.0),
    FactSpec("graph.half", "number", "", "share of the operations behind the loss that compute in float16",
             "损失计算图中以 float16 计算的操作占比", low=0.0, high=1.0),
    FactSpec("amp.skipped_run", "number", "steps", "steps skipped in a row at the spike", "骤升时连续跳过的步数"),
    FactSpec("loss.first_bad_nonfinite", "bool", "", "the first bad loss was itself NaN or infinite",
             "首个异常损失即为 NaN 或无穷"),
    FactSpec("loss.zero", "bool", "", "the loss is exactly zero while gradients are not finite",
             "损失恰为零而梯度非有限"),
    FactSpec("loss.magnitude_ratio", "number", "x", "backward calls per step at the spike over before",
             "骤升时每步反向次数与之前之比", low=0.0),
)  # fmt: skip


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of number formats."""
    scales = context.before("amp.scale")
    yield from _scaler(context)
    if context.onset is None:
        return
    now = context.during("amp.scale").value
    if len(scales) and len(now):
        low = float(np.min(now))
        yield Fact("amp.scale", low, context.moment)
        yield Fact("amp.scale_drop", float(np.median(scales)) / max(low, 1e-12), context.moment)
    later = context.series("amp.scale").between(*context.aftermath).value
    if len(scales) and len(later):
        yield Fact(
            "amp.scale_lost", float(np.median(scales)) / max(float(later.min()), 1e-30), context.aftermath
        )
    half = context.rank.series("graph.half").between(context.first, context.at + SOON).value
    if len(half):
        yield Fact("graph.half", float(half[-1]), context.moment)
    yield from _skipped(context)
    yield from _loss(context)


def _scaler(context: Context) -> Iterator[Fact]:
    seen = context.series("amp.scale")
    if len(seen) or len(context.series("loss")):
        yield Fact("amp.scaler", bool(len(seen)), context.baseline)


def _skipped(context: Context) -> Iterator[Fact]:
    skipped = context.series("amp.skipped").between(context.moment[0], context.aftermath[1]).value
    if not len(skipped):
        return
    longest = run = 0
    for flag in skipped:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    yield Fact("amp.skipped_run", float(longest), context.aftermath)


def _loss(context: Context) -> Iterator[Fact]:
    first = context.onset_value("loss")
    if first is not None:
        yield Fact("loss.first_bad_nonfinite", not np.isfinite(first), context.moment)
        norm = context.onset_value("grad.norm")
        if norm is not None:
            yield Fact("loss.zero", first == 0.0 and not np.isfinite(norm), context.moment)
    base, now = context.before("loss.micro"), context.onset_value("loss.micro")
    if len(base) and now is not None:
        yield Fact("loss.magnitude_ratio", now / float(np.median(base)), context.moment)
