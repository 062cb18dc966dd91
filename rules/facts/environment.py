"""Facts of the machine: GPU, memory, system log, and the agreement of ranks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .context import BASELINE, Context
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("gpu.used", "bool", "", "the job computes on a GPU", "训练使用 GPU", standing=True),
    FactSpec("gpu.temperature", "number", "C", "hottest GPU around the onset", "骤升前后 GPU 最高温度"),
    FactSpec("gpu.ecc_errors", "number", "", "uncorrected memory errors that came up before the onset",
             "骤升前新增的不可纠正显存错误", low=0.0),
    FactSpec("system.xid", "bool", "", "the driver reported an Xid error around the onset", "骤升前后驱动报告 Xid 错误"),
    FactSpec("system.hardware", "text", "", "hardware messages of the system log around the onset",
             "骤升前后系统日志中的硬件消息"),
    FactSpec("oom.seen", "bool", "", "an out-of-memory was raised and survived before the onset",
             "骤升前发生过未终止训练的内存溢出"),
    FactSpec("oom.lead", "number", "steps", "steps from the out-of-memory to the onset", "内存溢出距骤升的步数"),
    FactSpec("ranks.world", "number", "", "ranks", "进程数", low=0.0, standing=True),
    FactSpec("ranks.distance", "number", "L2", "least distance between the parameters of two ranks at the onset",
             "骤升时进程间参数距离下界", low=0.0),
    FactSpec("ranks.distance_before", "number", "L2", "the same before the onset", "骤升前进程间参数距离下界", low=0.0),
    FactSpec("ranks.gradient_disagree", "bool", "", "ranks that should share gradients applied different ones",
             "本应一致的梯度在进程间不同"),
)  # fmt: skip

_HARDWARE = ("xid", "ecc", "mce", "thermal")


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the machine."""
    low, high = max(context.first, context.at - BASELINE), context.moment[1]
    devices = [str(event.data["device"]) for event in context.events("environment") if "device" in event.data]
    if devices:
        yield Fact("gpu.used", devices[-1] != "cpu")
    hottest = _gauges(context, "gpu.temperature/", low, high)
    if hottest:
        yield Fact("gpu.temperature", max(v.max() for v in hottest), (low, high))
    errors = _gauges(context, "gpu.ecc_uncorrected/", context.first, high)
    if errors:
        yield Fact("gpu.ecc_errors", float(sum(v.max() - v[0] for v in errors)), (context.first, high))
    events = context.events("system", low, high)
    hardware = [e for e in events if str(e.data.get("kind")) in _HARDWARE]
    if context.rank.events:
        yield Fact("system.xid", any(e.data.get("kind") == "xid" for e in hardware), (low, high))
    if hardware:
        yield Fact(
            "system.hardware", "; ".join(str(e.data.get("text", ""))[:80] for e in hardware[:3]), (low, high)
        )
    if context.onset is not None and context.rank.events:
        yield from _memory(context, low)
    yield from _ranks(context)


def _gauges(context: Context, prefix: str, low: int, high: int) -> list[np.ndarray]:
    names = {n for g in context.rank.gauges for n in g.v if n.startswith(prefix)}
    columns = [context.rank.series(n, "gauge").between(low, high).value for n in names]
    return [c[np.isfinite(c)] for c in columns if np.isfinite(c).any()]


def _memory(context: Context, low: int) -> Iterator[Fact]:
    events = context.events("oom", low, context.at)
    if not context.coarse:
        yield Fact("oom.seen", bool(events), (low, context.at))
    if events:
        yield Fact("oom.lead", float(context.at - events[-1].step), (low, context.at))


def _ranks(context: Context) -> Iterator[Fact]:
    world = max((h.world for r in context.run.ranks.values() for h in r.headers), default=0)
    if world:
        yield Fact("ranks.world", float(world))
    if len(context.run.ranks) < 2:
        return
    first, last = context.baseline
    before = _distance(context, first, last)
    if before is not None:
        yield Fact("ranks.distance_before", before, context.baseline)
    now = _distance(context, last + 1, context.aftermath[1])
    if now is not None:
        yield Fact("ranks.distance", now, context.aftermath)


def _distance(context: Context, first: int, last: int) -> float | None:
    """Return the largest difference of weight norms between ranks at the same step.

    By the triangle inequality it never exceeds the distance of the parameters, so it needs no
    exchange between the ranks.
    """
    columns = [r.series("weight.norm").between(first, last) for r in context.run.ranks.values()]
    common = set(columns[0].step.tolist())
    for column in columns[1:]:
        common &= set(column.step.tolist())
    if not common:
        return None
    rows = np.array([c.value[np.isin(c.step, sorted(common))] for c in columns])
    return float(np.max(rows.max(0) - rows.min(0)))
