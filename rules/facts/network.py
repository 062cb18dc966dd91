"""Facts of the network: mode, BatchNorm, weights, activations, size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .context import Context, jump, number, slope
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("mode.eval_training", "bool", "", "the model is in evaluation mode while it is trained",
             "训练时模型处于 eval 模式"),
    FactSpec("mode.eval_before", "bool", "", "the same, long before the onset", "骤升很久以前训练时即处于 eval 模式"),
    FactSpec("mode.lead", "number", "steps", "steps from the change of mode to the onset", "模式变化距骤升的步数"),
    FactSpec("mode.sensitive", "bool", "", "the network has dropout or BatchNorm, so its mode matters",
             "网络含 Dropout 或 BatchNorm", standing=True),
    FactSpec("bn.layers", "number", "", "BatchNorm layers", "BatchNorm 层数", low=0.0),
    FactSpec("bn.shift_ratio", "number", "x", "largest move of running statistics at the spike over its usual size",
             "骤升时运行统计量变化与平时之比", low=0.0),
    FactSpec("bn.var_ratio", "number", "x", "change of a running variance around the onset", "骤升前后运行方差之比", low=0.0),
    FactSpec("bn.lead", "number", "steps", "steps from the abnormal running statistics to the onset",
             "运行统计量异常距骤升的步数"),
    FactSpec("bn.gap", "number", "std", "distance between running and batch statistics after the onset",
             "骤升后运行统计量与批统计量的距离"),
    FactSpec("weight.norm_growth", "number", "x", "growth of the weight norm over the baseline", "基线期权重范数增长倍数", low=0.0),
    FactSpec("weight.norm_jump", "number", "x", "weight norm after the onset over the norm before",
             "骤升后权重范数与之前之比", low=0.0),
    FactSpec("weight.nonfinite", "bool", "", "a parameter became NaN or infinite", "参数出现 NaN 或无穷"),
    FactSpec("weight.drift", "number", "L2", "distance that parameters moved outside the optimizer's step",
             "参数在优化器步骤之外移动的距离", low=0.0),
    FactSpec("weight.touched", "bool", "",
             "weights changed between two updates right before the onset, as they had not done before",
             "骤升前权重在两次更新之间被改变,此前未发生"),
    FactSpec("weight.touched_lead", "number", "steps", "steps from that change to the onset", "该变化距骤升的步数"),
    FactSpec("weight.drift_lead", "number", "steps", "steps from that change to the onset", "该变化距骤升的步数"),
    FactSpec("act.saturated_before", "number", "", "share of saturated sigmoid or tanh units before the onset",
             "骤升前 sigmoid/tanh 饱和单元占比", low=0.0, high=1.0),
    FactSpec("act.norm_ratio", "number", "x", "largest activation norm at the spike over the norm before",
             "骤升时激活范数与之前之比", low=0.0),
    FactSpec("act.growth", "number", "x", "growth of an activation norm over the baseline", "基线期激活范数增长倍数", low=0.0),
    FactSpec("act.lead", "number", "steps", "steps by which activations left their past before the loss did",
             "激活先于损失偏离的步数"),
    FactSpec("model.parameters", "number", "", "trainable parameters", "可训练参数数", low=0.0, standing=True),
    FactSpec("model.parameters_per_sample", "number", "x", "trainable parameters per training sample",
             "每个训练样本对应的参数数", low=0.0, standing=True),
    FactSpec("model.depth", "number", "layers", "layers with weights", "含权重的层数", low=0.0, standing=True),
    FactSpec("model.norm_layers", "number", "", "normalisation layers", "归一化层数", low=0.0, standing=True),
    FactSpec("model.saturating_layers", "number", "", "sigmoid and tanh layers", "sigmoid 与 tanh 层数", low=0.0, standing=True),
    FactSpec("model.steep_layers", "number", "layers",
             "units between layers that grow faster than their argument, such as powers and exponentials",
             "层间增长快于线性的单元数(如幂、指数)", low=0.0, standing=True),
    FactSpec("model.dropout", "number", "", "largest dropout probability", "最大 Dropout 概率", low=0.0, high=1.0, standing=True),
    FactSpec("data.samples", "number", "", "training samples", "训练样本数", low=0.0, standing=True),
)  # fmt: skip

_OFTEN = 0.2
"""Share of steps from which on weights that change between updates belong to the job's way."""


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the network."""
    yield from _summary(context)
    yield from _mode(context)
    growth = _growth(context, "weight.norm")
    if growth is not None:
        yield Fact("weight.norm_growth", growth, context.baseline)
    saturated = context.before("act.saturated")
    if len(saturated):
        yield Fact("act.saturated_before", float(np.median(saturated)), context.baseline)
    if context.onset is not None:
        yield from _batchnorm(context)
        yield from _weights(context)
        yield from _activations(context)


def _growth(context: Context, name: str) -> float | None:
    values = context.rank.series(name).between(context.first, context.baseline[1]).value
    values = values[np.isfinite(values)]
    return slope(values) if len(values) >= 10 and values[0] > 0 else None


def _summary(context: Context) -> Iterator[Fact]:
    models = context.events("model")
    samples = [e.data.get("dataset_size") for e in context.events("loader")]
    known = [int(n) for n in samples if isinstance(n, int) and n > 0]
    if known:
        yield Fact("data.samples", float(max(known)))
    if not models:
        return
    data = max((e.data for e in models), key=lambda d: number(d.get("parameters")) or 0.0)
    parameters = data.get("parameters")
    if isinstance(parameters, int):
        yield Fact("model.parameters", float(parameters))
        if known:
            yield Fact("model.parameters_per_sample", parameters / max(known))
    for fact, key in (
        ("model.depth", "depth"),
        ("model.norm_layers", "norm_layers"),
        ("model.dropout", "dropout"),
    ):
        if isinstance(data.get(key), int | float):
            yield Fact(fact, float(data[key]))
    activations = data.get("activations")
    if isinstance(activations, dict):
        saturating = sum(
            int(activations.get(name, 0)) for name in ("Sigmoid", "Tanh", "Hardtanh", "Softsign")
        )
        yield Fact("model.saturating_layers", saturating)
        steep = sum(int(activations.get(name, 0)) for name in ("Exp", "Pow", "Square"))
        yield Fact("model.steep_layers", float(steep))


def _mode(context: Context) -> Iterator[Fact]:
    shares = context.series("mode.train_share")
    if len(shares):
        yield Fact("mode.sensitive", True)
    elif len(context.series("mode.train")):
        yield Fact("mode.sensitive", False)
    base = context.before("mode.train")
    now = context.series("mode.train").between(max(context.baseline[0], context.at - 2), context.at + 5)
    if len(base):
        yield Fact("mode.eval_before", bool(np.median(base) < 0.5), context.baseline)
    if not len(now):
        return
    off = bool(np.median(now.value) < 0.5)
    yield Fact("mode.eval_training", off, context.moment)
    history = context.series("mode.train").between(context.baseline[0], context.at)
    turned = np.flatnonzero(np.diff(history.value) < 0)
    if off and len(turned):
        yield Fact("mode.lead", float(context.at - history.step[turned[-1] + 1]), context.moment)


def _batchnorm(context: Context) -> Iterator[Fact]:
    moved = jump(context, "bn.mean_shift")
    if moved is not None:
        yield Fact("bn.shift_ratio", moved.ratio, context.moment)
        if moved.lead is not None:
            yield Fact("bn.lead", float(moved.lead), context.moment)
    ratios = context.series("bn.var_ratio").between(context.moment[0], context.at + 20).value
    if len(ratios):
        finite = np.where(np.isfinite(ratios), np.maximum(ratios, 1e-12), 1e12)
        yield Fact("bn.var_ratio", float(np.exp(np.max(np.abs(np.log(finite))))), context.moment)
    gaps = context.after("bn.batch_gap")
    if len(gaps):
        yield Fact("bn.gap", float(np.max(gaps[:20])), context.aftermath)


def _weights(context: Context) -> Iterator[Fact]:
    base, after = context.before("weight.norm"), context.after("weight.norm")
    if len(base) and len(after):
        yield Fact("weight.norm_jump", float(np.max(after[:30])) / max(float(np.median(base)), 1e-12))
    # Measured after the update: at the onset itself a bad loss has already been learnt from.
    bad = context.series("weight.nonfinite").between(context.moment[0], context.at - 1).value
    if len(bad):
        yield Fact("weight.nonfinite", bool((bad > 0).any()), context.moment)
    yield from _touched(context)
    usual = context.series("weight.drift").between(*context.baseline).value
    drift = context.leading("weight.drift")
    # Jobs that project or clip their weights move them outside the step all the time, on purpose.
    if not len(drift) or (len(usual) and float(np.mean(usual > 0)) > 0.05):
        return
    values = np.where(np.isfinite(drift.value), drift.value, np.inf)
    worst = int(np.argmax(values))
    yield Fact("weight.drift", float(values[worst]), context.moment)
    if values[worst] > 0:
        # Drift at a step is what happened before that step's forward pass.
        yield Fact("weight.drift_lead", float(context.at - drift.step[worst]), context.moment)


def _touched(context: Context) -> Iterator[Fact]:
    """Tell whether somebody other than an optimizer wrote to the weights, once or from now on."""
    if context.onset is None or not context.events("weights.watched", context.first, context.at):
        return
    # No loss makes anyone write to the weights at once, so a step of doubt about the onset does no harm.
    steps = context.rank.series("weight.touched").between(context.first, context.at + 1).step
    first, last = context.baseline
    usual = int(((steps >= first) & (steps <= last)).sum()) / max(last - first + 1, 1)
    near = steps[steps > last]
    # Jobs that clip, project or mask their weights do so all the time, on purpose.
    yield Fact("weight.touched", bool(len(near)) and usual <= _OFTEN, context.moment)
    if len(near):
        yield Fact("weight.touched_lead", float(context.at - near[-1]), context.moment)


def _activations(context: Context) -> Iterator[Fact]:
    moved = jump(context, "act.size")
    if moved is not None:
        yield Fact("act.norm_ratio", moved.ratio, context.moment)
        if moved.lead is not None:
            yield Fact("act.lead", float(moved.lead), context.moment)
    growth = _growth(context, "act.size")
    if growth is not None:
        yield Fact("act.growth", growth, context.baseline)
