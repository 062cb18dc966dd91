"""Facts of the labels, and of how a so-far-right model sees them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .context import AHEAD, Context, robust_z, slope
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("label.accuracy_before", "number", "", "accuracy on training batches before the onset",
             "骤升前训练批次的准确率", low=0.0, high=1.0),
    FactSpec("label.accuracy_at_spike", "number", "", "accuracy on the first bad batch, before its update",
             "首个异常批次在更新前的准确率", low=0.0, high=1.0),
    FactSpec("label.disagreement", "number", "", "loss of accuracy on that batch: labels against a so-far-right model",
             "该批次准确率下降:标签与此前正确的模型不一致", low=-1.0, high=1.0),
    FactSpec("label.consistent", "bool", "",
             "labels disagree with the model, yet go with its answers one to one: they were renamed",
             "标签与模型不一致,却与其答案一一对应:标签被重新命名"),
    FactSpec("label.new_values", "bool", "", "labels beyond the range seen before", "出现此前范围之外的标签"),
    FactSpec("label.kept", "number", "", "accuracy on that batch as a share of the accuracy before",
             "该批准确率占骤升前准确率的比例", low=0.0),
    FactSpec("label.permuted", "bool", "",
             "class shares moved, but sorted by size they are as before: classes changed places",
             "类别比例改变,但按大小排序后与之前相同:类别互换"),
    FactSpec("label.shift", "number", "", "total variation distance of the class shares before and after the onset",
             "骤升前后类别比例的总变差距离", low=0.0, high=1.0),
    FactSpec("label.shift_noise", "number", "", "the same between single batches before the onset",
             "骤升前单批次之间的该距离", low=0.0, high=1.0),
    FactSpec("label.dominant_share", "number", "", "share of the most frequent class after the onset",
             "骤升后最多类别的占比", low=0.0, high=1.0),
    FactSpec("label.dominant_before", "number", "", "share of the most frequent class in a batch before the onset",
             "骤升前批次中最多类别的占比", low=0.0, high=1.0),
    FactSpec("label.sorted", "bool", "", "each batch before the onset held next to one class only",
             "骤升前每个批次几乎只含一个类别"),
    FactSpec("label.block_change", "bool", "", "the class that fills the batches changed at the onset",
             "骤升时占满批次的类别发生变化"),
    FactSpec("label.out_of_range", "bool", "", "labels outside 0..classes-1", "标签超出类别范围"),
    FactSpec("label.none_valid", "bool", "", "a batch without any valid target", "批次中没有有效目标"),
    FactSpec("label.nonfinite", "bool", "", "NaN or infinite targets", "目标含 NaN 或无穷"),
    FactSpec("label.value_z", "number", "sigma", "shift of the mean target at the onset, in its usual spread",
             "骤升时目标均值偏移(以平时波动为单位)"),
    FactSpec("label.value_std_ratio", "number", "x", "spread of the targets at the onset over the spread before",
             "骤升时目标标准差与之前之比", low=0.0),
    FactSpec("label.normal", "bool", "", "class shares or target values at the onset look like those before",
             "骤升时标签分布与之前无异"),
    FactSpec("output.pred_share", "number", "", "share of the class predicted most after the onset",
             "骤升后被预测最多类别的占比", low=0.0, high=1.0),
    FactSpec("output.max_ratio", "number", "x", "largest logit at the spike over the largest before",
             "骤升时最大 logit 与之前之比"),
    FactSpec("output.max_before", "number", "", "largest logit before the onset", "骤升前的最大 logit"),
    FactSpec("output.max_growth", "number", "x", "growth of the largest logit since the first quarter of the run",
             "训练前四分之一以来最大 logit 的增长倍数"),
    FactSpec("output.entropy_after", "number", "nats", "entropy of the predictions after the onset", "骤升后预测熵", low=0.0),
    FactSpec("output.entropy_ratio", "number", "x",
             "entropy of the predictions on the first bad batch, before any update, over that before",
             "首个异常批次(尚未更新)预测熵与之前之比", low=0.0),
    FactSpec("output.nonfinite", "bool", "", "the model's output was NaN or infinite", "模型输出含 NaN 或无穷"),
)  # fmt: skip


_NEAREST = 8
"""Values before the onset that make the entropy of predictions: it falls while the network learns."""


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of labels and outputs."""
    if context.onset is None:
        return
    yield from _accuracy(context)
    yield from _validity(context)
    shifts = list(_classes(context)) or list(_values(context))
    yield from shifts
    yield from _outputs(context)


def _accuracy(context: Context) -> Iterator[Fact]:
    base, now = context.before("output.accuracy"), context.onset_value("output.accuracy")
    if not len(base) or now is None:
        return
    before = float(np.median(base[-50:]))
    yield Fact("label.accuracy_before", before, context.baseline)
    yield Fact("label.accuracy_at_spike", now, context.moment)
    yield Fact("label.disagreement", before - now, context.moment)
    if before > 0:
        yield Fact("label.kept", now / before, context.moment)
    usual, purity = context.before("output.purity"), context.onset_value("output.purity")
    if len(usual) and purity is not None:
        # Labels drawn at random go with no answer; renamed ones go with their answer as before.
        kept = purity >= 0.7 * float(np.median(usual)) and purity - max(now, _top_share(context)) >= 0.25
        yield Fact("label.consistent", before - now >= 0.25 and kept, context.moment)


def _top_share(context: Context) -> float:
    """Return the share of the most frequent label of the onset's batch: any answer is as pure as that."""
    rows = [v for _, v in context.texts("label.hist", context.at, context.at + AHEAD)]
    shares = _shares(rows[:1])
    return float(shares[0].max()) if shares is not None else 0.0


def _validity(context: Context) -> Iterator[Fact]:
    ignored, counts = context.during("label.ignored").value, context.during("label.count").value
    if len(ignored):
        yield Fact("label.none_valid", bool((ignored >= 1.0).any()), context.moment)
    elif len(counts):
        yield Fact("label.none_valid", bool((counts == 0).any()), context.moment)
    # Only whole-number labels have a histogram; a real-valued target may be of any size.
    if context.history("label.hist"):
        yield from _range(context)
    bad_values = context.during("label.nonfinite").value
    if len(bad_values):
        yield Fact("label.nonfinite", bool((bad_values > 0).any()), context.moment)


def _range(context: Context) -> Iterator[Fact]:
    classes = context.before("output.classes")
    lows, highs = context.before("label.min"), context.before("label.max")
    low, high = context.during("label.min").value, context.during("label.max").value
    if not len(low) or not len(high) or not len(lows) or not len(highs):
        return
    # An ignore index is negative on purpose: it was there before.
    negative = bool(low.min() < 0 <= lows.min())
    # A head of another size may have come with the labels.
    now = context.during("output.classes").value
    most = float(now.max()) if len(now) else float(classes[-1]) if len(classes) else np.inf
    above = bool(high.max() >= most)
    yield Fact("label.out_of_range", negative or above, context.moment)
    yield Fact("label.new_values", bool(high.max() > highs.max() or low.min() < lows.min()), context.moment)


def _shares(rows: Sequence[object]) -> np.ndarray | None:
    lists = [r for r in rows if isinstance(r, list) and r]
    if not lists:
        return None
    width = max(len(r) for r in lists)
    table = np.array([[*r, *[0] * (width - len(r))] for r in lists], dtype=np.float64)
    table = table[table.sum(1) > 0]
    return table / table.sum(1, keepdims=True) if len(table) else None


def _classes(context: Context) -> Iterator[Fact]:
    old, new = context.history("label.hist"), context.later("label.hist")
    wide = max((len(v) for _, v in [*old, *new] if isinstance(v, list)), default=0)
    before, after = (
        _shares([[*v, *[0] * (wide - len(v))] for _, v in rows if isinstance(v, list)]) for rows in (old, new)
    )
    if before is None or after is None or len(before) < 3:
        return
    usual = before.mean(0)
    single = 0.5 * np.abs(before - usual).sum(1)
    level = after.mean(0)
    # The mean over several batches is less noisy than one batch: the noise shrinks with their number.
    noise = float(np.median(single)) / np.sqrt(len(after))
    shift = 0.5 * float(np.abs(level - usual).sum())
    yield Fact("label.shift", shift, (context.baseline[0], context.at + 30))
    yield Fact("label.shift_noise", noise, context.baseline)
    resorted = 0.5 * float(np.abs(np.sort(level) - np.sort(usual)).sum())
    yield Fact("label.permuted", shift > max(0.2, 4 * noise) and resorted < 0.35 * shift, context.aftermath)
    yield Fact("label.dominant_share", float(level.max()), context.aftermath)
    yield Fact("label.dominant_before", float(np.median(before.max(1))), context.baseline)
    yield Fact("label.normal", shift < max(0.1, 4 * noise), context.moment)
    # Sorted data show as batches of one class each while the class itself changes over the run.
    tops = before.argmax(1)
    blocks = bool(np.median(before.max(1)) >= 0.9) and len(set(tops.tolist())) > 1
    yield Fact("label.sorted", blocks, context.baseline)
    yield Fact("label.block_change", blocks and int(after[0].argmax()) != int(tops[-1]), context.moment)


def _values(context: Context) -> Iterator[Fact]:
    means, stds = context.before("label.mean"), context.before("label.std")
    mean, std = context.oddest("label.mean"), context.oddest("label.std")
    if not len(means) or not len(stds) or mean is None or std is None:
        return
    z = robust_z(mean, means) if np.isfinite(mean) else float("inf")
    ratio = std / max(float(np.median(stds)), 1e-9) if np.isfinite(std) else float("inf")
    yield Fact("label.value_z", z, context.moment)
    yield Fact("label.value_std_ratio", ratio, context.moment)
    usual = float(np.median(stds))
    moved = abs(z) > 8 and abs(mean - float(np.median(means))) > 0.5 * usual
    yield Fact("label.normal", not moved and 0.4 < ratio < 2.5, context.moment)


def _outputs(context: Context) -> Iterator[Fact]:
    share = context.after("output.pred_share")
    if len(share):
        yield Fact("output.pred_share", float(np.median(share)), context.aftermath)
    entropy = context.after("output.entropy")
    if len(entropy):
        yield Fact("output.entropy_after", float(np.median(entropy)), context.aftermath)
    usual = context.before("output.entropy")[-_NEAREST:]
    first = context.series("output.entropy").between(context.at, context.at).value
    if len(usual) and len(first) and np.isfinite(first[0]) and np.median(usual) > 0:
        yield Fact("output.entropy_ratio", float(first[0] / np.median(usual)), context.moment)
    base, now = context.before("output.max"), context.during("output.max").value
    if len(base) and len(now):
        yield Fact("output.max_ratio", float(np.max(now)) / max(float(np.median(base)), 1e-9), context.moment)
    whole = context.rank.series("output.max").between(context.first, context.baseline[1]).value
    whole = whole[np.isfinite(whole)]
    # Logits of any network grow from next to nothing while it learns; what counts is growth after that.
    if len(whole) >= 20:
        yield Fact("output.max_growth", slope(whole[len(whole) // 4 :]), context.baseline)
        yield Fact("output.max_before", float(np.median(whole[-20:])), context.baseline)
    bad = context.leading("output.nonfinite").value
    if len(bad):
        yield Fact("output.nonfinite", bool((bad > 0).any()), context.moment)
