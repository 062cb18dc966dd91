"""Facts of the gradient: how far its norm left its past, when, where, and whether it was clipped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .context import Context, Jump, jump, mapping, number, sequence, slope
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("grad.norm_before", "number", "L2", "median gradient norm before the onset", "骤升前梯度范数中位数", low=0.0),
    FactSpec("grad.norm_p95", "number", "L2", "95th percentile of the gradient norm before the onset",
             "骤升前梯度范数的 95 分位数", low=0.0),
    FactSpec("grad.norm_at_spike", "number", "L2", "largest gradient norm at the spike", "骤升时最大梯度范数", low=0.0),
    FactSpec("grad.norm_ratio", "number", "x", "gradient norm at the spike over the norm before",
             "骤升时梯度范数与之前之比", low=0.0),
    FactSpec("grad.lead", "number", "steps", "steps by which the gradient norm left its past before the loss did",
             "梯度范数先于损失偏离的步数"),
    FactSpec("grad.trend", "number", "x", "growth of the gradient norm over the window before the onset",
             "骤升前梯度范数的增长倍数", low=0.0),
    FactSpec("grad.nonfinite", "bool", "", "a gradient was NaN or infinite at the spike", "骤升时梯度出现 NaN 或无穷"),
    FactSpec("grad.nonfinite_first", "bool", "", "a gradient was non-finite while the loss of that step was finite",
             "损失有限而梯度已非有限"),
    FactSpec("grad.clipped", "bool", "", "the job clips gradients", "训练使用了梯度裁剪"),
    FactSpec("grad.clip_max_norm", "number", "L2", "largest norm that clipping lets through", "裁剪允许的最大范数", low=0.0),
    FactSpec("grad.clip_share", "number", "", "share of steps before the onset on which clipping bit",
             "骤升前裁剪生效的步数占比", low=0.0, high=1.0),
    FactSpec("grad.clip_scaled", "bool", "", "gradients were clipped while still multiplied by the loss scale",
             "裁剪时梯度仍带损失缩放"),
    FactSpec("grad.effective_norm", "number", "L2", "gradient norm that reached the optimizer at the spike",
             "骤升时实际进入优化器的梯度范数", low=0.0),
    FactSpec("grad.module", "text", "", "module whose gradient grew most", "梯度增长最多的模块"),
    FactSpec("grad.module_class", "text", "", "class of that module", "该模块的类型"),
    FactSpec("grad.module_ratio", "number", "x", "growth of that module's gradient norm", "该模块梯度范数增长倍数", low=0.0),
    FactSpec("grad.module_share", "number", "", "share of that module in the squared gradient norm at the spike",
             "该模块在骤升时梯度平方和中的占比", low=0.0, high=1.0),
    FactSpec("grad.unzeroed", "number", "", "share of steps that began with gradients of the step before",
             "未清零梯度的步数占比", low=0.0, high=1.0),
)  # fmt: skip

_LARGE = 5.0
"""Growth of a gradient read from momentum above which it counts as a departure."""


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the gradient."""
    base = context.before("grad.norm")
    if len(base):
        yield Fact("grad.norm_before", float(np.median(base)), context.baseline)
        yield Fact("grad.norm_p95", float(np.percentile(base, 95)), context.baseline)
    if len(base) >= 10:
        yield Fact("grad.trend", slope(base), context.baseline)
    yield from _clipping(context)
    unzeroed = _unzeroed(context)
    if unzeroed is not None:
        yield Fact("grad.unzeroed", unzeroed, context.moment)
    if context.onset is not None:
        yield from _spike(context)


def _spike(context: Context) -> Iterator[Fact]:
    moved = jump(context, "grad.norm")
    if moved is not None:
        ratio = max(moved.ratio, _hidden_ratio(context) or 0.0)
        yield Fact("grad.norm_ratio", ratio, context.moment)
        yield Fact("grad.norm_at_spike", max(moved.peak, ratio * moved.before), context.moment)
        yield from _lead(context, moved)
    yield from _nonfinite(context)
    yield from _modules(context)


def _lead(context: Context, moved: Jump) -> Iterator[Fact]:
    if moved.lead is not None and moved.lead > 0:
        yield Fact("grad.lead", float(moved.lead), context.moment)
    elif not context.saw_the_step_before(context.series("grad.norm")):
        hidden = _hidden_ratio(context)
        if hidden is not None:
            yield Fact("grad.lead", 1.0 if hidden > _LARGE else 0.0, context.moment)
    elif moved.lead is not None:
        yield Fact("grad.lead", float(moved.lead), context.moment)


def _hidden_ratio(context: Context) -> float | None:
    """Return how large the gradient of the step before the onset was, from the momentum it left behind.

    ``m = beta m' + (1 - beta) g`` gives a bound on g. Ordinary gradients average out in m, by at most
    ``sqrt((1 - beta) / (1 + beta))`` when they are independent, so that the bound is divided by as much.
    """
    base, now = context.before("grad.moment"), context.series("grad.moment").between(context.at, context.at)
    groups = context.events("optimizer", context.first, context.at)
    if not len(base) or not len(now) or not groups:
        return None
    group = mapping((sequence(groups[-1].data.get("groups")) or [{}])[0])
    growth = float(now.value[0]) / max(float(np.median(base[-12:])), 1e-30)
    alpha = number(group.get("alpha"))
    if alpha is not None and 0 <= alpha < 1 and not number(group.get("momentum")):
        # Of squares, v = alpha v' + (1 - alpha) g^2.
        return float(np.sqrt(max(0.0, (growth**2 - alpha) / (1 - alpha))))
    betas = sequence(group.get("betas"))
    beta = number(betas[0]) if betas else number(group.get("momentum"))
    if beta is None or not 0 <= beta < 1:
        return None
    grown = (growth - beta) / (1 - beta)
    return max(0.0, grown * float(np.sqrt((1 - beta) / (1 + beta))))


def _nonfinite(context: Context) -> Iterator[Fact]:
    bad = _bad_steps(context)
    if bad is None:
        return
    bad += _unseen(context) if not bad or min(bad) >= context.at else []
    yield Fact("grad.nonfinite", bool(bad), context.moment)
    losses = dict(zip(*(a.tolist() for a in _pair(context, "loss")), strict=True))
    yield Fact("grad.nonfinite_first", any(np.isfinite(losses.get(s, np.nan)) for s in bad), context.moment)


def _unseen(context: Context) -> list[int]:
    """Return the step before the onset where nothing but its gradient can have broken the parameters.

    Where no sample of finite inputs has a finite output, parameters are not finite; where some have, the
    others overflowed on their way. Plain SGD breaks finite parameters by a gradient that is not finite and
    by nothing else.
    """
    outputs, inputs = context.onset_value("output.nonfinite"), context.onset_value("batch.nonfinite")
    if outputs is None or outputs < 1.0 or inputs is None or inputs > 0:
        return []
    events = context.events("optimizer", context.first, context.at)
    group = mapping(sequence(events[-1].data.get("groups"))[0]) if events else {}
    plain = bool(events) and events[-1].data.get("class") == "SGD" and not group.get("momentum")
    return [context.at - 1] if plain else []


def _pair(context: Context, name: str) -> tuple[np.ndarray, np.ndarray]:
    series = context.during(name)
    return series.step, series.value


def _bad_steps(context: Context) -> list[int] | None:
    counts, norms = context.during("grad.nonfinite"), context.during("grad.norm")
    if not len(counts) and not len(norms):
        return None
    bad = set(counts.step[counts.value > 0].tolist())
    bad |= set(norms.step[~np.isfinite(norms.value)].tolist())
    # A momentum that is not finite before an update was made so by the gradient of the step before.
    moments = context.during("grad.moment")
    bad |= {int(step) - 1 for step in moments.step[~np.isfinite(moments.value)][:1]}
    # A gradient scaler skips such a step on purpose; that is its work, not a fault.
    skipped = context.during("amp.skipped")
    return sorted(bad - set(skipped.step[skipped.value > 0].tolist()))


def _modules(context: Context) -> Iterator[Fact]:
    moment = list(context.records(*context.moment))
    names = {n for r in moment for n in r.v if n.startswith("grad.norm/")}
    jumps = {n: j for n in names if (j := jump(context, n)) is not None}
    if not jumps:
        return
    worst = max(jumps, key=lambda n: jumps[n].ratio)
    module = worst.removeprefix("grad.norm/")
    yield Fact("grad.module", module, context.moment)
    yield from _class_of(context, module)
    yield Fact("grad.module_ratio", jumps[worst].ratio, context.moment)
    squares = {n: j.peak * j.peak for n, j in jumps.items()}  # a power would raise beyond all doubles
    total = sum(squares.values())
    if np.isfinite(total) and total > 0:
        yield Fact("grad.module_share", squares[worst] / total, context.moment)


def _class_of(context: Context, module: str) -> Iterator[Fact]:
    for event in context.events("model"):
        for row in map(mapping, sequence(event.data.get("modules"))):
            if row.get("name") == module:
                yield Fact("grad.module_class", str(row.get("class", "")))
                return


def _clipping(context: Context) -> Iterator[Fact]:
    window = list(context.records(context.baseline[0], context.moment[1]))
    limits = [
        r.v["grad.clip_max_norm"] for r in window if isinstance(r.v.get("grad.clip_max_norm"), int | float)
    ]
    seen = [r.v["grad.clip_calls"] for r in window if "grad.clip_calls" in r.v]
    if not seen and not limits:
        return
    clipped = bool(limits) or any(seen)
    yield Fact("grad.clipped", clipped, context.baseline)
    if any(r.v.get("grad.clip_scaled") for r in window):
        yield Fact("grad.clip_scaled", True, context.baseline)
    peak = context.during("grad.norm").value
    if limits:
        limit = float(limits[-1])  # type: ignore[arg-type]
        yield Fact("grad.clip_max_norm", limit, context.baseline)
        base = context.before("grad.norm")
        if len(base):
            yield Fact("grad.clip_share", float(np.mean(base > limit)), context.baseline)
        if len(peak):
            yield Fact("grad.effective_norm", min(float(np.max(peak)), limit), context.moment)
    elif not clipped and len(peak):
        yield Fact("grad.effective_norm", float(np.max(peak)), context.moment)


def _unzeroed(context: Context) -> float | None:
    if context.onset is None:
        first, last = context.baseline
    else:
        first, last = context.baseline[1] + 1, context.aftermath[1]
    zeroed = context.series("grad.zeroed").between(first, last)
    if not len(zeroed):
        return None
    # Cleared gradients cost nothing to see, others are measured on some steps: each record stands for
    # the steps since the one before.
    gaps = np.diff(zeroed.step, prepend=zeroed.step[0] - 1)
    return float(np.average(zeroed.value == 0, weights=gaps))
