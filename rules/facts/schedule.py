"""Facts of the learning rate and its schedule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .context import BASELINE, Context, mapping, number
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("lr.before", "number", "", "learning rate before the onset", "骤升前的学习率", low=0.0),
    FactSpec("lr.at_spike", "number", "", "learning rate at the spike", "骤升时的学习率", low=0.0),
    FactSpec("lr.ratio", "number", "x", "learning rate at the spike over the rate before", "骤升时学习率与之前之比", low=0.0),
    FactSpec("lr.jump", "number", "x", "largest growth of the learning rate from one step to the next",
             "学习率单步最大增长倍数", low=0.0),
    FactSpec("lr.jump_lead", "number", "steps", "steps from that growth to the onset", "该增长距骤升的步数"),
    FactSpec("lr.over_peak", "number", "x", "learning rate at the spike over the highest rate used before",
             "骤升时学习率与此前最高学习率之比", low=0.0),
    FactSpec("lr.warmup", "bool", "", "the learning rate rose at the start of training", "训练开始时有学习率预热"),
    FactSpec("lr.at_peak", "bool", "", "the learning rate is at its highest so far", "学习率处于目前最高值"),
    FactSpec("lr.constant", "bool", "", "the learning rate never changed", "学习率从未变化"),
    FactSpec("lr.growing", "bool", "", "the learning rate grew all the way to the onset", "学习率持续增长直至骤升"),
    FactSpec("schedule.class", "text", "", "class of the scheduler", "学习率调度器类型", standing=True),
    FactSpec("schedule.restarts", "bool", "", "the schedule raises the rate on purpose (cyclic, warm restarts)",
             "调度器按计划升高学习率(循环或热重启)"),
    FactSpec("schedule.grows", "bool", "", "the schedule multiplies where it should decay", "调度器把衰减写成了增长"),
)  # fmt: skip

_RESTARTING = {"CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR", "CosineAnnealingLR"}


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the learning rate."""
    scheduler = _scheduler(context)
    if scheduler:
        yield Fact("schedule.class", str(scheduler.get("class", "")))
        yield Fact("schedule.restarts", str(scheduler.get("class")) in _RESTARTING)
        settings = mapping(scheduler.get("settings"))
        growth = [number(settings.get(name)) for name in ("gamma", "factor", "multiplicative")]
        known = [g for g in growth if g is not None]
        # A linear warm-up counts up to 1, so only a factor above 1 is growth.
        if known:
            yield Fact("schedule.grows", any(g > 1 for g in known))
    whole = context.rank.series("lr").between(context.first, context.moment[1])
    if not len(whole):
        return
    yield Fact("lr.constant", bool(np.ptp(whole.value) == 0))
    yield from _shape(context, whole.step, whole.value)
    if context.onset is not None:
        yield from _spike(context, whole.step, whole.value)


def _scheduler(context: Context) -> dict[str, Any]:
    events = context.events("scheduler")
    return dict(events[-1].data) if events else {}


def _shape(context: Context, steps: np.ndarray, rates: np.ndarray) -> Iterator[Fact]:
    head = rates[: max(2, len(rates) // 2)]
    if len(rates) >= 8:
        # A warm-up starts low and rises without a fall in between.
        peak = int(np.argmax(head))
        rising = peak > 0 and bool((np.diff(head[: peak + 1]) >= 0).all())
        yield Fact("lr.warmup", rising and head[0] < 0.6 * head[peak], (int(steps[0]), int(steps[peak])))
    recent = rates[steps >= context.baseline[0]]
    if len(recent) >= 4:
        growing = bool((np.diff(recent) >= 0).all()) and recent[-1] > 1.02 * recent[0]
        yield Fact("lr.growing", growing, (context.baseline[0], context.moment[1]))


def _spike(context: Context, steps: np.ndarray, rates: np.ndarray) -> Iterator[Fact]:
    # The rate at the onset's own step acts only after the loss of that step was computed; a log's row
    # stands for all the steps up to it, so there the row's own rate has acted.
    used = steps <= context.at if context.coarse else steps < context.at
    if used.sum() < 2:
        used = steps <= context.at
    if not used.any():
        return
    now = float(rates[used][-1])
    yield Fact("lr.at_spike", now)
    yield Fact("lr.at_peak", now >= 0.999 * float(rates[used].max()))
    low, high = context.baseline
    base = rates[(steps >= low) & (steps <= high)]
    if not len(base):
        return
    before = float(np.median(base))
    yield Fact("lr.before", before, context.baseline)
    if before > 0:
        yield Fact("lr.ratio", now / before, (low, context.at))
    yield from _largest_growth(context, steps[used], rates[used])


def _largest_growth(context: Context, steps: np.ndarray, rates: np.ndarray) -> Iterator[Fact]:
    if len(rates) < 2:
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.nan_to_num(np.where(rates[:-1] > 0, rates[1:] / rates[:-1], 1.0), nan=1.0)
    near = steps[1:] >= min(context.baseline[0], context.at - BASELINE)
    if not near.any():
        return
    growth, at = growth[near], steps[1:][near]
    # Of several growths alike the latest is the one that the loss may answer to.
    index = int(np.flatnonzero(growth >= growth.max() - 0.1 * abs(growth.max()))[-1])
    yield Fact("lr.jump", float(growth[index]), (int(at[0]), context.at))
    if growth[index] > 1.01:
        yield Fact("lr.jump_lead", float(context.at - at[index]), (int(at[0]), context.at))
        earlier = rates[steps < at[index]]
        if len(earlier) and earlier.max() > 0:
            yield Fact("lr.over_peak", float(rates[-1] / earlier.max()))
