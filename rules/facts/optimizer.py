"""Facts of the optimizer: its settings, their changes, and the size of its updates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...probes.evidence.reader import FloatArray
from .context import BASELINE, Context, mapping, number, sequence
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("optimizer.class", "text", "", "class of the optimizer", "优化器类型", standing=True),
    FactSpec("optimizer.beta1", "number", "", "decay of the first moment (betas[0])", "一阶矩衰减 beta1", low=0.0, high=1.0, standing=True),
    FactSpec("optimizer.beta2", "number", "", "decay of the second moment (betas[1])", "二阶矩衰减 beta2", low=0.0, high=1.0, standing=True),
    FactSpec("optimizer.eps", "number", "", "term added to the denominator", "分母附加项 eps", low=0.0, standing=True),
    FactSpec("optimizer.momentum", "number", "", "momentum", "动量", standing=True),
    FactSpec("optimizer.weight_decay", "number", "", "weight decay of the first group", "首个参数组的权重衰减", standing=True),
    FactSpec("optimizer.unusual", "text", "", "settings far outside what is customary", "明显偏离惯例的设置"),
    FactSpec("optimizer.changed", "text", "", "settings that changed shortly before the onset",
             "骤升前不久改变的设置"),
    FactSpec("optimizer.eps_vanishes", "bool", "", "eps is 0 in the number format of the parameters",
             "eps 在参数的数值格式下为零"),
    FactSpec("optimizer.replaced", "bool", "", "another optimizer took over shortly before the onset",
             "骤升前不久更换了优化器"),
    FactSpec("optimizer.change_lead", "number", "steps", "steps from that change to the onset", "该变化距骤升的步数"),
    FactSpec("update.ratio_before", "number", "", "update norm over weight norm before the onset",
             "骤升前更新范数与权重范数之比", low=0.0),
    FactSpec("update.norm_ratio", "number", "x", "largest update at the spike over the updates before",
             "骤升时最大更新与之前之比", low=0.0),
    FactSpec("update.lead", "number", "steps",
             "steps from the first abnormal update to the onset; 0: none before the bad loss",
             "首个异常更新先于骤升的步数;0 表示骤升前更新正常"),
    FactSpec("update.norm_at_spike", "number", "L2", "distance that the parameters moved in the largest step",
             "参数单步最大移动距离", low=0.0),
    FactSpec("update.gain_ratio", "number", "x",
             "growth of update over (rate x gradient): how much more the optimizer makes of a gradient",
             "更新与(学习率乘梯度)之比的增长", low=0.0),
)  # fmt: skip

_CHANGED = 1.5
_SETTINGS = ("momentum", "eps", "weight_decay", "dampening", "alpha", "rho", "lambd")

_LEAST_NORM = 0.1
"""Part of the usual gradient norm that a gradient must have for its update to tell of the optimizer's gain."""


_SMALLEST = {"float16": 2.0**-24}
"""Smallest number above 0 of a format; half of it and less is rounded to 0. Wider ones hold every usual eps."""


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the optimizer."""
    events = context.events("optimizer")
    if events:
        yield from _settings(events[-1].data)
        yield from _changes(context)
    yield from _updates(context)


def _group(data: dict[str, Any]) -> dict[str, Any]:
    groups = sequence(data.get("groups"))
    group = mapping(groups[0]) if groups else {}
    betas = sequence(group.get("betas"))
    if len(betas) >= 2:
        group["beta1"], group["beta2"] = betas[0], betas[1]
    return group


def _settings(data: dict[str, Any]) -> Iterator[Fact]:
    group = _group(data)
    yield Fact("optimizer.class", str(data.get("class", "")))
    for name in ("beta1", "beta2", "eps", "momentum", "weight_decay"):
        if isinstance(group.get(name), int | float):
            yield Fact(f"optimizer.{name}", float(group[name]))
    smallest = _SMALLEST.get(str(data.get("dtype", "")))
    if isinstance(eps := group.get("eps"), int | float) and (smallest is not None or data.get("dtype")):
        yield Fact("optimizer.eps_vanishes", smallest is not None and 0 < eps <= smallest / 2)
    yield Fact("optimizer.unusual", ", ".join(unusual(group)))


def unusual(group: dict[str, Any]) -> list[str]:
    """Return the settings of a parameter group that no usual recipe comes near.

    The bounds leave room for every published recipe known: betas[0] down to 0 is used (RMSprop-like,
    GANs use 0 and 0.5), but a first moment far longer than the second never is, since then one large
    gradient is divided by a denominator that has forgotten it.
    """
    found = []
    beta1, beta2 = group.get("beta1"), group.get("beta2")
    if isinstance(beta1, int | float) and isinstance(beta2, int | float):
        if beta1 > beta2 + 1e-9:
            found.append(f"betas[0]={beta1:g} above betas[1]={beta2:g}")
        elif 0.0 < beta1 < 0.3:
            found.append(f"betas[0]={beta1:g}")
        elif beta2 < 0.5:
            found.append(f"betas[1]={beta2:g}")
    momentum = group.get("momentum")
    if isinstance(momentum, int | float) and momentum > 0.995:
        found.append(f"momentum={momentum:g}")
    decay = group.get("weight_decay")
    if isinstance(decay, int | float) and (decay < 0 or decay > 1):
        found.append(f"weight_decay={decay:g}")
    if group.get("maximize"):
        found.append("maximize=True")
    return found


def _changes(context: Context) -> Iterator[Fact]:
    if context.onset is None:
        return
    # A change at the onset's own step acts after its loss, unless the record was coarse.
    last = context.at if context.coarse else context.at - 1
    low = min(context.baseline[0], context.at - BASELINE)
    history = context.events("optimizer", context.first, last)
    if not history:
        return
    changed: list[str] = []
    lead: int | None = None
    replaced = False
    seen: dict[str, dict[str, Any]] = {}
    for event in history:
        index, group = str(event.data.get("index", 0)), _group(event.data)
        previous = seen.get(index)
        late = event.step > context.first and event.step >= low
        if previous is None and late and seen:
            replaced, lead = True, context.at - event.step
            previous = next(iter(seen.values()))
        if previous is not None and late:
            names = [n for n in sorted({*group, *previous}) if _tunable(n) and _differs(n, previous, group)]
            if names:
                changed, lead = (
                    [f"{n} {previous.get(n)} -> {group.get(n)}" for n in names],
                    context.at - event.step,
                )
        seen[index] = group
    yield Fact("optimizer.replaced", replaced)
    yield Fact("optimizer.changed", ", ".join(changed))
    if lead is not None:
        yield Fact("optimizer.change_lead", float(lead))


def _differs(name: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Tell a changed setting from one that a schedule moves a little in every step, as momentum cycles do."""
    old, new = number(before.get(name)), number(after.get(name))
    if old is None or new is None:
        return bool(before.get(name) != after.get(name))
    if name in {"beta1", "beta2", "momentum"}:
        # What counts is how long they remember, and that is one over what they lack to 1.
        old, new = 1.0 - old, 1.0 - new
    low, high = sorted((abs(old), abs(new)))
    return high > _CHANGED * low


def _tunable(name: str) -> bool:
    return name in _SETTINGS or name in {"beta1", "beta2", "maximize", "nesterov"}


def _updates(context: Context) -> Iterator[Fact]:
    base = context.before("update.ratio")
    if len(base):
        yield Fact("update.ratio_before", float(np.median(base)), context.baseline)
    moved = context.update_move
    if moved is None or context.onset is None:
        return
    yield Fact("update.norm_ratio", moved.ratio, context.moment)
    lead = max(moved.lead or 0, 0)
    if lead or context.saw_the_step_before(context.updates):
        yield Fact("update.lead", float(lead), context.moment)
    norms = context.during("update.norm").value
    if len(norms):
        yield Fact("update.norm_at_spike", float(np.max(norms)), context.moment)
    gain = _gain(context)
    if gain is not None:
        yield Fact("update.gain_ratio", gain, context.moment)


def _gain(context: Context) -> float | None:
    """Return how the update per unit of rate times gradient changed before the onset."""
    usual = context.before("grad.norm")
    # Momentum goes on where a gradient is all but nothing: that is no gain.
    least = _LEAST_NORM * float(np.median(usual)) if len(usual) else 0.0
    before = _gains(context, *context.baseline, least)
    near = _gains(context, context.baseline[1] + 1, context.at - 1, least)
    if len(before) < 3 or not len(near):
        return None
    return float(np.max(near) / np.median(before))


def _gains(context: Context, first: int, last: int, least: float) -> FloatArray:
    rows = []
    for record in context.records(first, last):
        update, norm, rate = (record.v.get(n) for n in ("update.norm", "grad.norm", "lr"))
        if (
            isinstance(update, float)
            and isinstance(norm, float)
            and isinstance(rate, float)
            and norm * rate > 0
            and norm >= least
        ):
            rows.append(update / (norm * rate))
    return np.array([gain for gain in rows if np.isfinite(gain)], dtype=np.float64)
