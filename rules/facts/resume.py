"""Facts of checkpoints and of what a resumed run took up again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...probes.evidence import Event
from ...probes.evidence.reader import FloatArray
from .context import BASELINE, Context, mapping, number, sequence
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("resume.seen", "bool", "", "a checkpoint was loaded before the onset", "骤升前加载了检查点"),
    FactSpec("resume.lead", "number", "steps", "steps from that load to the onset", "加载距骤升的步数"),
    FactSpec("resume.order_restarted", "bool", "",
             "the first batches after the load are batches that the run had trained on shortly before it",
             "加载后的最初几批是加载前不久已训练过的批次"),
    FactSpec("resume.hash_matches", "bool", "", "the file loaded has the hash noted when it was saved",
             "加载文件的哈希与保存时一致"),
    FactSpec("resume.optimizer", "bool", "", "optimizer state was restored", "恢复了优化器状态"),
    FactSpec("resume.scheduler", "bool", "", "scheduler state was restored", "恢复了调度器状态"),
    FactSpec("resume.scheduler_used", "bool", "", "a scheduler of PyTorch sets the rate", "学习率由 PyTorch 调度器设定"),
    FactSpec("resume.lr_ratio", "number", "x", "learning rate after the load over the rate at saving",
             "加载后学习率与保存时之比", low=0.0),
    FactSpec("resume.rate_jumped", "bool", "",
             "the learning rate becomes another one after the load, before the loss shows it",
             "加载后、骤升前学习率变为另一数值"),
    FactSpec("resume.loss_ratio", "number", "x", "first loss after the load over the loss at saving",
             "加载后首个损失与保存时之比"),
    FactSpec("resume.first_loss", "number", "x",
             "first loss after the load, before any update, over the losses before it or the loss at saving, "
             "the larger of both",
             "加载后首个损失(尚未更新)与此前损失或保存时损失(取较大者)之比", low=0.0),
    FactSpec("resume.update_ratio", "number", "x",
             "first updates after the load over those before it, each for a learning rate of 1",
             "加载后最初更新与此前更新之比(按学习率归一)", low=0.0),
    FactSpec("resume.versions_changed", "text", "", "libraries of another version than when the checkpoint was saved",
             "与保存检查点时版本不同的库"),
    FactSpec("resume.weights_match", "bool", "",
             "the weights that an optimizer began with after the load are those of a save before it",
             "加载后优化器起始的权重与此前某次保存的一致"),
    FactSpec("resume.code_changed", "text", "",
             "modules of the job itself whose source is another since the load, or that only one side has",
             "加载后源码不同或仅一侧存在的作业自身模块"),
    FactSpec("checkpoint.last_good", "text", "", "newest checkpoint saved before the onset", "骤升前最新的检查点"),
    FactSpec("checkpoint.last_good_step", "number", "step", "step of that checkpoint", "该检查点的步数"),
    FactSpec("checkpoint.age", "number", "steps", "steps from that checkpoint to the onset", "该检查点距骤升的步数"),
)  # fmt: skip

_RECENT = 1000
"""Steps before a load whose batches count as seen shortly before."""
_AFTER = 50
_FEWEST = 8
"""Batches known on both sides; with fewer the fact stays unknown."""
_TWICE = 2
_USUAL = 90
"""Percentile of the losses before a load that one batch may reach by chance."""
_FIRST = 3
"""Steps after a load whose updates tell what the optimizer took up again."""
_LEVEL = 24
"""Updates before a load that make their level."""


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of checkpoints."""
    saves = context.events("checkpoint.save", context.first, context.at)
    if saves:
        yield Fact("checkpoint.last_good", str(saves[-1].data.get("path", "")))
        yield Fact("checkpoint.last_good_step", float(saves[-1].step))
        yield Fact("checkpoint.age", float(context.at - saves[-1].step))
    if context.onset is None or not context.rank.steps:
        return
    loads = sorted(_loads(context), key=lambda event: event.step)
    recent = [event for event in loads if event.step >= context.at - BASELINE]
    if not context.coarse:
        yield Fact("resume.seen", bool(recent))
    if recent:
        yield from _load(context, recent)


def _loads(context: Context) -> list[Event]:
    """Return what was loaded up to the onset; a load right at it comes before its forward pass, so it counts.

    A checkpoint that comes from memory or over the network is known by an optimizer that takes up a state, or
    that is new while the weights are not.
    """
    begun = {e.step for e in context.events("optimizer", context.first, context.at) if e.data.get("first")}
    taken_up = [
        event
        for event in context.events("resume", context.first + 1, context.at)
        if "optimizer" in (restored := sequence(event.data.get("restored")))
        or ("model" in restored and event.step in begun)
    ]
    return [*taken_up, *context.events("checkpoint.load", None, context.at)]


def _load(context: Context, loads: list[Event]) -> Iterator[Fact]:
    last = loads[-1]
    yield Fact("resume.lead", float(context.at - last.step), context.moment)
    verdicts = [e.data.get("matches") for e in loads if e.step == last.step]
    known = [v for v in verdicts if isinstance(v, bool)]
    if known:
        yield Fact("resume.hash_matches", all(known))
    restored = {
        str(name)
        for e in context.events("resume", last.step, context.at)
        for name in sequence(e.data.get("restored"))
    }
    if restored:
        yield Fact("resume.optimizer", "optimizer" in restored)
        yield Fact("resume.scheduler", "scheduler" in restored)
    used = context.events("scheduler", context.first, context.at)
    yield Fact("resume.scheduler_used", bool(used))
    yield from _rate(context, last.step)
    yield from _order(context, last.step)
    leaps = _per_rate(context, last.step, last.step + _FIRST - 1)
    usual = _per_rate(context, context.first, last.step - 1)[-_LEVEL:]
    if len(leaps) and len(usual) >= _FEWEST:
        yield Fact(
            "resume.update_ratio", float(np.max(leaps) / np.median(usual)), (last.step, last.step + _FIRST)
        )
    yield from _code(context, last.step)
    yield from _weights(context, last.step)
    saved = mapping(last.data.get("saved"))
    yield from _first_loss(context, last.step, number(saved.get("loss")))
    if saved:
        yield from _continuity(context, last.step, saved)


def _code(context: Context, step: int) -> Iterator[Fact]:
    """Compare the job's own modules with those of the process, or the stage, before the load."""
    told = [e for e in context.events("environment", context.first, context.at) if "code" in e.data]
    if len(told) > 1 and told[-1].step >= step:
        then, now = (mapping(event.data["code"]) for event in told[-2:])
        names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
        yield Fact("resume.code_changed", ", ".join(names)[:200])


def _weights(context: Context, step: int) -> Iterator[Fact]:
    """Compare the weights at the first update after the load with those of every save before it."""
    saved: set[object] = set()
    begun: set[object] = set()
    for event in context.events("weights.fingerprint", context.first, context.at):
        prints = {text for text in sequence(event.data.get("prints")) if text}
        if event.data.get("when") == "save" and event.step <= step:
            saved |= prints
        elif event.data.get("when") == "begin" and event.step >= step:
            begun |= prints
    watched = context.events("weights.watched", step, context.at)
    if any(event.data.get("continues") for event in watched):
        yield Fact("resume.weights_match", True)
    elif saved and begun:
        yield Fact("resume.weights_match", begun <= saved)


def _rate(context: Context, step: int) -> Iterator[Fact]:
    """Tell whether the rate became another one; a scheduler overwrites the restored one at its next step only."""
    rates = context.rank.series("lr")
    before = rates.between(context.first, step - 1).value
    after = rates.between(step, max(step + 1, min(context.at, step + _AFTER))).value
    if len(before) and len(after) and before[-1] > 0:
        least, most = float(after.min() / before[-1]), float(after.max() / before[-1])
        yield Fact("resume.rate_jumped", least <= 1 / _TWICE or most >= _TWICE, (step - 1, step))


def _first_loss(context: Context, step: int, saved: float | None) -> Iterator[Fact]:
    losses = context.rank.series("loss")
    first = losses.between(step, step).value
    before = losses.between(context.first, step - 1).value[-_LEVEL:]
    usual = float(np.percentile(before[np.isfinite(before)], _USUAL)) if np.isfinite(before).any() else 0.0
    level = max(usual, saved or 0.0)
    if len(first) and np.isfinite(first[0]) and level > 0:
        yield Fact("resume.first_loss", float(first[0]) / level, (step, step))


def _per_rate(context: Context, first: int, last: int) -> FloatArray:
    """Return the norms of the updates of some steps, each for a learning rate of 1."""
    rows = ((number(r.v.get("update.norm")), number(r.v.get("lr"))) for r in context.records(first, last))
    return np.array([norm / rate for norm, rate in rows if norm and rate], dtype=np.float64)


def _order(context: Context, step: int) -> Iterator[Fact]:
    """Tell whether the data start over: an order that is restored goes on with batches not seen in a while."""
    earlier = {str(v) for _, v in context.texts("batch.hash", max(context.first, step - _RECENT), step - 1)}
    later = [str(v) for _, v in context.texts("batch.hash", step, step + _AFTER)]
    if len(earlier) >= _FEWEST and len(later) >= _FEWEST:
        again = sum(text in earlier for text in later)
        yield Fact("resume.order_restarted", again >= _TWICE, (step, step + _AFTER))


def _continuity(context: Context, step: int, saved: dict[str, object]) -> Iterator[Fact]:
    """Compare with what was noted at saving."""
    then_versions, now_versions = mapping(saved.get("versions")), _versions(context, step)
    if then_versions and now_versions:
        both = sorted(then_versions.keys() & now_versions.keys())
        changed = [
            f"{n} {then_versions[n]} -> {now_versions[n]}"
            for n in both
            if then_versions[n] != now_versions[n]
        ]
        yield Fact("resume.versions_changed", ", ".join(changed)[:200])
    for fact, name, key in (("resume.lr_ratio", "lr", "lr"), ("resume.loss_ratio", "loss", "loss")):
        now = context.series(name).between(step, step + 3).value
        then = number(saved.get(key))
        if len(now) and then is not None and then > 0:
            yield Fact(fact, float(now[0]) / then, (step, step + 3))


def _versions(context: Context, step: int) -> dict[str, object]:
    events = context.events("environment", context.first, step)
    return mapping(events[-1].data.get("versions")) if events else {}
