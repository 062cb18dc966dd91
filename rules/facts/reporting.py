"""Facts of a report that is not what the job did: NaN replaced, an old validation repeated, curves joined."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

import numpy as np

from ...probes.evidence.reader import FloatArray
from .context import AHEAD, Context, number
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("report.zeroed", "number", "records",
             "losses of exactly 0 that the run ends in, where the loss had never been near 0 before",
             "运行末尾恰为 0 的损失记录数(此前损失从未接近 0)", low=0.0),
    FactSpec("report.hidden_nonfinite", "bool", "", "something else was not finite while the loss was reported as a number",
             "损失报告为有限数时其他量非有限"),
    FactSpec("report.grad_known", "bool", "", "a finite gradient norm was reported beside those losses",
             "这些损失旁报告了有限的梯度范数"),
    FactSpec("report.stale", "number", "evaluations",
             "validations that the run ends in with exactly the same loss while the weights were updated",
             "运行末尾在权重更新期间损失完全相同的连续验证次数", low=0.0),
    FactSpec("report.stale_step", "number", "step", "step of the first of them", "其中首次验证所在步"),
    FactSpec("report.border", "bool", "", "the step counter goes back at the onset: two curves are joined there",
             "骤升处步数回退:两段曲线在此拼接"),
    FactSpec("report.replayed", "number", "records", "losses from the onset on that repeat an earlier stretch one by one",
             "骤升后逐条重复先前一段的损失记录数", low=0.0),
    FactSpec("report.earlier_distance", "number", "",
             "relative distance of the losses behind such a border from those that the same steps had before",
             "拼接处之后的损失与相同步数先前损失的相对距离", low=0.0),
)  # fmt: skip

_NEAR_ZERO = 100
"""Units of the last digit: a loss that falls to 0 by itself passes below it."""
_FEWEST = 8
_LONG = 400


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the report."""
    losses = context.rank.series("loss")
    if not len(losses):
        return
    yield from _zeroed(context, losses.step.tolist(), losses.value)
    yield from _stale(context)
    if context.onset is not None:
        yield from _joined(context)


def _zeroed(context: Context, steps: Sequence[int], values: FloatArray) -> Iterator[Fact]:
    """A trainer that filters NaN reports 0 where a whole interval was NaN."""
    tail = next((place for place, value in enumerate(values[::-1]) if value != 0), len(values))
    past = values[: len(values) - tail]
    if not tail or len(past) < 2 or not np.isfinite(past).all():
        yield Fact("report.zeroed", 0.0)
        return
    passed_by = np.abs(past).min() <= _NEAR_ZERO * _unit(past)
    yield Fact("report.zeroed", 0.0 if passed_by else float(tail))
    since = steps[len(past)]
    norms = context.rank.series("grad.norm").between(since, context.last).value
    others = [
        context.rank.series(name).between(since, context.last).value
        for name in ("update.norm", "weight.norm")
    ]
    validations = context.rank.series("val.loss", "eval").between(since, context.last + 1).value
    hidden = [not np.isfinite(found).all() for found in (norms, validations, *others) if len(found)]
    if hidden:
        yield Fact("report.hidden_nonfinite", any(hidden))
    # A gradient of exactly 0, that of the constant put for the loss, shows no training.
    yield Fact("report.grad_known", bool((np.isfinite(norms) & (norms > 0)).any()))


def _unit(values: FloatArray) -> float:
    """Return one unit of the last decimal place that numbers are written with, 1e-12 at least."""
    places = (repr(float(value)).partition("e")[0].partition(".")[2] for value in values[-_LONG:])
    return float(10.0 ** -min(12, max((len(place) for place in places), default=0)))


def _stale(context: Context) -> Iterator[Fact]:
    found = ((r.step, number(r.v.get("val.loss"))) for r in context.rank.evals)
    known = [(step, value) for step, value in found if value is not None and math.isfinite(value)]
    if len(known) < 3:
        return
    runs = [(value, [step for step, _ in group]) for value, group in groupby(known, key=lambda pair: pair[1])]
    value, steps = runs[-1]
    # A log that writes the last validation with every line repeats each of them.
    held = max((len(earlier) for _, earlier in runs[:-1]), default=1)
    stale = bool(value) and len(steps) > 2 * held and _could_differ(known, value) and _moved(context, steps)
    yield Fact("report.stale", float(len(steps)) if stale else 0.0)
    if stale:
        yield Fact("report.stale_step", float(steps[0]))


def _could_differ(known: Sequence[tuple[int, float]], repeated: float) -> bool:
    """Whether validations are written finely enough: rounded ones of a settled model are equal by chance."""
    values = np.array([value for _, value in known], dtype=np.float64)
    changes = np.abs(np.diff(values))
    typical = float(np.median(changes[changes > 0])) if (changes > 0).any() else abs(repeated) / 100
    return typical > _NEAR_ZERO * _unit(values)


def _moved(context: Context, steps: Sequence[int]) -> bool:
    """Whether the model was trained between every two validations, as far as that can be told."""
    return all(_trained(context, first, last - 1) for first, last in pairwise(steps))


def _trained(context: Context, first: int, last: int) -> bool:
    records = context.records(first, last)
    losses = {value for r in records if (value := number(r.v.get("loss"))) is not None}
    for name in ("update.norm", "lr"):
        found = [value for r in records if (value := number(r.v.get(name))) is not None]
        if found:
            return len(losses) > 0 and any(value > 0 for value in found)
    return bool(losses)


def _joined(context: Context) -> Iterator[Fact]:
    borders = [
        event
        for event in context.events("segment", context.at - AHEAD, context.at + AHEAD)
        if event.data.get("reason") != "start"
    ]
    if context.coarse:
        yield Fact("report.border", bool(borders))
    history = context.rank.series("loss").between(context.first, context.at - 1).value
    since = context.rank.series("loss").between(context.at, context.last).value[:_LONG]
    yield Fact("report.replayed", float(_replayed(history, since)), context.aftermath)
    if borders:
        yield from _distance(context, borders[-1].step)


def _replayed(history: FloatArray, since: FloatArray) -> int:
    """Return how many values repeat an earlier stretch one by one; a stretch of few values repeats by chance."""
    best = 0
    for place in np.flatnonzero(history == since[0]).tolist() if len(since) else []:
        both = min(len(history) - place, len(since))
        equal = history[place : place + both] == since[:both]
        length = both if equal.all() else int(np.argmin(equal))
        if length > best and len(set(since[:length].tolist())) >= _FEWEST:
            best = length
    return best


def _distance(context: Context, border: int) -> Iterator[Fact]:
    """Compare the losses behind a border with those of the same steps, as the log counts them, before it."""
    before: dict[float, float] = {}
    behind: list[tuple[float, float]] = []
    for record in context.rank.steps:
        loss = number(record.v.get("loss"))
        step = number(record.v.get("extra/log_step"))
        step = float(record.step) if step is None else step
        if loss is None or not math.isfinite(loss):
            continue
        if record.step < border:
            before[step] = loss
        elif len(behind) < _LONG:
            behind.append((step, loss))
    pairs = [(before[step], loss) for step, loss in behind if step in before]
    if len(pairs) >= _FEWEST:
        then, now = np.array(pairs).T
        apart = np.abs(now - then) / np.maximum(np.abs(then), 1e-12)
        yield Fact("report.earlier_distance", float(np.median(apart)))
