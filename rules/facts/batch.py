"""Facts of the inputs: extremes, drift, a change of format, repeats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...probes.evidence.reader import FloatArray
from .context import AHEAD, Context, robust_z, sequence
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("batch.size", "number", "samples", "batch size before the onset", "骤升前的批大小", low=0.0, standing=True),
    FactSpec("batch.size_ratio", "number", "x", "batch size at the onset over the size before", "骤升时批大小与之前之比", low=0.0),
    FactSpec("batch.mean_z", "number", "sigma", "shift of the batch mean at the onset, in its own usual spread",
             "骤升批次均值偏移(以平时波动为单位)"),
    FactSpec("batch.mean_shift", "number", "std", "shift of the batch mean in standard deviations of the data",
             "批次均值偏移(以数据标准差为单位)"),
    FactSpec("batch.std_ratio", "number", "x", "spread of the batch at the onset over the spread before",
             "骤升批次标准差与之前之比", low=0.0),
    FactSpec("batch.extreme_ratio", "number", "x", "largest magnitude at the onset over the largest seen before",
             "骤升批次最大绝对值与此前最大值之比", low=0.0),
    FactSpec("batch.new_negatives", "bool", "", "negative values where there were none before", "出现此前没有的负值"),
    FactSpec("batch.within_range", "bool", "", "all values lie within the range seen before", "数值均在此前范围内"),
    FactSpec("batch.nonfinite", "bool", "", "NaN or infinite input at the spike", "输入含 NaN 或无穷"),
    FactSpec("batch.outlier_like", "bool", "",
             "a few values are extreme while the bulk of the batch stayed: the maximum grew far more than the spread",
             "少数值极端而整体未变:最大值的增长远超标准差"),
    FactSpec("batch.duplicates", "number", "", "share of rows equal to another row of the batch at the onset",
             "骤升批次中重复样本占比", low=0.0, high=1.0),
    FactSpec("batch.duplicates_before", "number", "", "the same before the onset", "骤升前批次中重复样本占比", low=0.0, high=1.0),
    FactSpec("batch.repeat_share", "number", "",
             "share of the first eight batches looked at from the onset on that equal one of the last before them",
             "骤升后最先记录的八个批次中与前几个批次完全相同的占比", low=0.0, high=1.0),
    FactSpec("batch.repeat_before", "number", "",
             "share of the last four batches looked at before the onset that equal another of them",
             "骤升前最后四个被记录批次中彼此相同的占比", low=0.0, high=1.0),
    FactSpec("batch.repeats_began", "bool", "",
             "batches equal to one of the last before them come from the onset on, and never came before",
             "骤升后开始出现与前几个批次相同的批次,此前从未出现"),
    FactSpec("batch.recent_share", "number", "",
             "share of samples from the onset on that came in one of the three batches looked at before",
             "骤升后样本在此前三个被记录批次中出现过的占比", low=0.0, high=1.0),
    FactSpec("batch.recent_before", "number", "", "the same before the onset", "骤升前该占比", low=0.0, high=1.0),
    FactSpec("batch.discrete", "bool", "", "the input is whole numbers, such as token ids", "输入为整数(如词编号)"),
    FactSpec("batch.shift_lasts", "bool", "", "the change of the inputs stays on all later batches",
             "输入变化在之后批次持续存在"),
    FactSpec("batch.shift_lead", "number", "steps", "steps from the first changed input to the onset",
             "首个异常输入距骤升的步数"),
    FactSpec("batch.normal", "bool", "", "inputs at the onset look like those before", "骤升批次输入与之前无异"),
    FactSpec("batch.seen_before", "number", "", "share of samples at the onset that appeared in earlier epochs unchanged",
             "骤升后样本与先前轮次完全一致的占比", low=0.0, high=1.0),
    FactSpec("batch.seen_baseline", "number", "", "the same share before the onset", "骤升前该占比", low=0.0, high=1.0),
    FactSpec("batch.column", "text", "", "input column or channel that moved most", "变化最大的输入列或通道"),
    FactSpec("batch.column_shift", "number", "std",
             "shift of that column's mean beyond its noise, in its standard deviations",
             "该列均值超出噪声的偏移(以该列标准差为单位)"),
    FactSpec("batch.column_lasts", "bool", "", "that column stays shifted on later batches", "该列偏移在之后批次持续"),
    FactSpec("batch.column_extreme", "number", "x",
             "largest magnitude in a column over the largest seen there before", "某列最大绝对值与该列此前最大值之比", low=0.0),
)  # fmt: skip

_NORMAL_Z = 8.0
"""Robust deviations within which a batch statistic counts as usual; a batch mean is a mean of many."""

_SPREAD_Z = 4.0
"""Robust deviations within which the spread of a batch counts as usual."""
_SELDOM = 0.1
"""A column's median maximum over its largest below which its values are rare events."""
_KNOWN = 16
"""Batches without a repetition that show that a job does not repeat any."""
_SOON = 8
"""Batches looked at that show what began at the onset."""
_OFTEN = 3
_PART = 0.1
"""Repetitions, and their share of the batches, that are no chance any more."""


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the inputs."""
    sizes = context.before("batch.size")
    if len(sizes):
        yield Fact("batch.size", float(np.median(sizes)), context.baseline)
    if context.onset is None:
        return
    now = context.oddest("batch.size")
    if now is not None and len(sizes):
        yield Fact("batch.size_ratio", now / float(np.median(sizes)), context.moment)
    yield from _moments(context)
    kinds = context.history("batch.kind")
    if kinds:
        yield Fact("batch.discrete", str(kinds[-1][1]) == "int", context.baseline)
    yield from _nonfinite(context)
    yield from _recent(context)
    yield from _duplicates(context)
    yield from _repeats(context)
    yield from _seen(context)
    yield from _columns(context)


def _moments(context: Context) -> Iterator[Fact]:
    means, stds = context.before("batch.mean"), context.before("batch.std")
    mean, std = context.oddest("batch.mean"), context.oddest("batch.std")
    if not len(means) or not len(stds) or mean is None or std is None:
        return
    window = (context.baseline[0], context.at)
    spread = max(float(np.median(stds)), 1e-9)
    z = robust_z(mean, means) if np.isfinite(mean) else float("inf")
    # A constant input mean (standardised data) makes any z large; the shift must matter in the data's own unit.
    shift = abs(mean - float(np.median(means))) / spread if np.isfinite(mean) else float("inf")
    ratio = std / spread if np.isfinite(std) else float("inf")
    yield Fact("batch.mean_z", z, window)
    yield Fact("batch.mean_shift", shift, window)
    yield Fact("batch.std_ratio", ratio, window)
    extreme = _extremes(context)
    if extreme is None:
        return
    size, negatives, within = extreme
    yield Fact("batch.extreme_ratio", size, window)
    yield Fact("batch.new_negatives", negatives, window)
    yield Fact("batch.within_range", within, window)
    yield Fact("batch.outlier_like", size > 3.0 and size > 1.5 * ratio, window)
    moved = (abs(z) > _NORMAL_Z and shift > 0.2) or _spread_moved(std, stds) or size > 3.0
    yield Fact("batch.normal", not moved and not negatives, window)
    yield from _persistence(context, means, stds)


def _extremes(context: Context) -> tuple[float, bool, bool] | None:
    lows, highs = context.before("batch.min"), context.before("batch.max")
    low, high = context.oddest("batch.min"), context.oddest("batch.max")
    if not len(lows) or not len(highs) or low is None or high is None:
        return None
    usual = max(float(np.max(np.abs(lows))), float(np.max(np.abs(highs))), 1e-9)
    size = max(abs(low), abs(high)) / usual
    margin = 0.05 * (float(highs.max()) - float(lows.min()))
    within = low >= float(lows.min()) - margin and high <= float(highs.max()) + margin
    return size, bool(lows.min() >= 0 > low - 1e-9 and low < -1e-6), bool(within)


def _spread_moved(std: float, stds: FloatArray) -> bool:
    """Whether the spread of a batch is another one, and by more than it differs from batch to batch."""
    ratio = std / max(float(np.median(stds)), 1e-9)
    return not 0.67 < ratio < 1.5 and not abs(robust_z(std, stds)) <= _SPREAD_Z


def _persistence(context: Context, means: FloatArray, stds: FloatArray) -> Iterator[Fact]:
    """Tell whether the inputs stay changed, and since when."""
    spread = max(float(np.median(stds)), 1e-9)
    center = float(np.median(means))
    usual = max(1.4826 * float(np.median(np.abs(means - center))) * _NORMAL_Z, 0.2 * spread)

    def odd(mean: float, std: float) -> bool:
        return not abs(mean - center) <= usual or _spread_moved(std, stds)

    rows = [
        (r.step, odd(m, s))
        for r in context.records(context.baseline[1] + 1, context.at + 30)
        if isinstance(m := r.v.get("batch.mean"), float) and isinstance(s := r.v.get("batch.std"), float)
    ]
    later = [bad for step, bad in rows if step >= context.at]
    if len(later) >= 3:
        yield Fact("batch.shift_lasts", float(np.mean(later)) > 0.8, context.aftermath)
    first = next((step for step, bad in rows if bad), None)
    if first is not None:
        yield Fact("batch.shift_lead", float(context.at - first), context.moment)


def _nonfinite(context: Context) -> Iterator[Fact]:
    shares = _until_seen(context, "batch.nonfinite")
    extremes = [_until_seen(context, n) for n in ("batch.min", "batch.max", "batch.mean")]
    values = np.concatenate([shares, *extremes])
    if len(values):
        bad = bool((shares > 0).any()) or any(not np.isfinite(v).all() for v in extremes)
        yield Fact("batch.nonfinite", bad, context.moment)


def _until_seen(context: Context, name: str) -> FloatArray:
    """Return the values up to the first one from the onset on: later inputs may be features of a model that is NaN."""
    series = context.during(name)
    return series.value[: int(np.searchsorted(series.step, context.at)) + 1]


def _duplicates(context: Context) -> Iterator[Fact]:
    base = context.before("batch.duplicates")
    now = context.series("batch.duplicates").between(context.culprit, context.at + AHEAD).value
    if len(base):
        yield Fact("batch.duplicates_before", float(np.median(base)), context.baseline)
    if len(now):
        yield Fact("batch.duplicates", float(np.max(now)), context.moment)


def _repeats(context: Context) -> Iterator[Fact]:
    """Tell whether whole batches come again at once; once an epoch is normal, within a few steps is not."""
    texts = context.texts("batch.hash", context.baseline[0], context.aftermath[1])
    hashes = [(step, str(value)) for step, value in texts if value]
    last = [h for step, h in hashes if step < context.at][-4:]
    if len(last) >= 2:
        yield Fact("batch.repeat_before", sum(last.count(h) > 1 for h in last) / len(last), context.baseline)
    later = [i for i, (step, _) in enumerate(hashes) if step >= context.at]
    if len(later) < 3:
        return
    again = [_came_again(hashes, i) for i in later]
    # The first ones: what comes much later has its own reasons.
    yield Fact("batch.repeat_share", float(np.mean(again[:_SOON])), context.aftermath)
    earlier = [_came_again(hashes, i) for i, (step, _) in enumerate(hashes) if step < context.at]
    if len(earlier) >= _KNOWN:
        began = not any(earlier) and sum(again) >= _OFTEN and np.mean(again) >= _PART
        yield Fact("batch.repeats_began", bool(began), context.aftermath)


def _came_again(hashes: list[tuple[int, str]], index: int) -> bool:
    """Return whether a batch equals one of the four looked at before it."""
    return hashes[index][1] in {h for _, h in hashes[max(0, index - 4) : index]}


def _recent(context: Context) -> Iterator[Fact]:
    """Tell whether the same samples keep coming: an epoch deals each of them once."""
    rows = [v for _, v in context.history("batch.sample_hashes")]
    split = len(rows)
    rows += [v for _, v in context.texts("batch.sample_hashes", context.at, context.aftermath[1])]
    shares = []
    for index in range(3, len(rows)):
        now, earlier = sequence(rows[index]), {h for row in rows[index - 3 : index] for h in sequence(row)}
        shares.append(sum(h in earlier for h in now) / max(len(now), 1))
    before, after = shares[: max(0, split - 3)], shares[split:]
    if len(before) >= 3:
        yield Fact("batch.recent_before", float(np.median(before)), context.baseline)
    if len(after) >= 3:
        yield Fact("batch.recent_share", float(np.median(after)), context.aftermath)


def _seen(context: Context) -> Iterator[Fact]:
    """Compare how often samples return unchanged: augmentation makes every view of a sample new."""
    rows = [
        (r.step, r.epoch, r.v.get("batch.sample_hashes"))
        for r in context.records(context.first, context.last)
    ]
    known: set[object] = set()
    before: list[float] = []
    after: list[float] = []
    pending: list[object] = []
    epoch = -1
    for step, at, hashes in rows:
        if at is None or not isinstance(hashes, list) or not hashes:
            continue
        if int(at) != epoch:
            epoch = int(at)
            known.update(pending)
            pending = []
        if known:
            share = sum(h in known for h in hashes) / len(hashes)
            (after if step >= context.at else before).append(share)
        pending.extend(hashes)
    if len(before) >= 3 and len(after) >= 3:
        yield Fact("batch.seen_baseline", float(np.mean(before[-50:])))
        yield Fact("batch.seen_before", float(np.mean(after[:50])))


def _columns(context: Context) -> Iterator[Fact]:
    """Look at each column: a mean over columns of different units hides what happens in one."""
    means = context.texts("batch.feature_mean", context.culprit, context.at + 30)
    stds = _table([v for _, v in context.history("batch.feature_std")])
    base = _table([v for _, v in context.history("batch.feature_mean")])
    later = _table([v for _, v in means])
    if base is None or later is None or stds is None or len(base) < 3:
        return
    if not base.shape[1] == later.shape[1] == stds.shape[1]:
        return
    center, usual = np.median(base, axis=0), _floored(np.median(stds, axis=0))
    noise = 1.4826 * np.median(np.abs(base - center), axis=0) / usual
    # A shift counts by what it is beyond the usual noise of that column's mean.
    shifts = np.abs(later - center) / usual
    moved = np.median(shifts[: AHEAD + 1], axis=0) - 8 * noise
    worst = int(np.argmax(moved))
    yield Fact("batch.column", f"column {worst}", context.moment)
    yield Fact("batch.column_shift", max(float(moved[worst]), 0.0), context.moment)
    if len(later) >= 3:
        odd = shifts[:, worst] > 0.5 * float(np.median(shifts[: AHEAD + 1, worst]))
        yield Fact("batch.column_lasts", float(np.mean(odd)) > 0.8, context.aftermath)
    extreme = _column_extreme(context)
    if extreme is not None:
        yield Fact("batch.column_extreme", extreme, context.moment)


def _column_extreme(context: Context) -> float | None:
    base = _table([v for _, v in context.history("batch.feature_max")])
    now = _table([v for _, v in context.texts("batch.feature_max", context.culprit, context.at + AHEAD)])
    if base is None or now is None or len(base) < 3 or base.shape[1] != now.shape[1]:
        return None
    known = np.abs(base)
    # A column that is seldom far from zero, such as a pixel at the edge, has no usual maximum.
    usual = np.median(known, axis=0) >= _SELDOM * known.max(0)
    ratios = np.abs(now).max(0) / _floored(known.max(0))
    return float(np.max(ratios[usual])) if usual.any() else None


def _floored(scale: FloatArray) -> FloatArray:
    """Return the scale of each column; a column that hardly varies is measured by what the others do."""
    return np.maximum(scale, 0.1 * float(np.median(scale[scale > 0])) if (scale > 0).any() else 1.0)


def _table(rows: Sequence[object]) -> FloatArray | None:
    lists = [r for r in rows if isinstance(r, list)]
    if not lists or len({len(r) for r in lists}) != 1:
        return None
    return np.array(lists, dtype=np.float64)
