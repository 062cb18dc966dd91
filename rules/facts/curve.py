"""Facts of the loss curves: how high, how sudden, and where in the epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from .context import Context
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("spike.ratio", "number", "x", "loss after the onset over the loss before", "损失骤升后与之前之比"),
    FactSpec("spike.step", "number", "step", "step of the first bad loss", "首个异常损失所在步"),
    FactSpec("spike.culprit_step", "number", "step", "step of the batch or update to blame", "应追究的批次或更新所在步"),
    FactSpec("spike.nonfinite", "bool", "", "the loss became NaN or infinite", "损失变为 NaN 或无穷"),
    FactSpec("spike.recovered", "bool", "", "the loss came back by itself", "损失自行恢复"),
    FactSpec("spike.val_jumped", "bool", "", "validation loss jumped as well", "验证损失同时骤升"),
    FactSpec("spike.steps_since_start", "number", "steps", "steps from the start of recording to the onset",
             "从开始记录到骤升的步数"),
    FactSpec("spike.level_vs_initial", "number", "x", "loss after the onset over the loss at the start",
             "骤升后损失与初始损失之比"),
    FactSpec("spike.at_uniform_loss", "bool", "", "loss went to ln(number of classes): every class as likely",
             "损失回到 ln(类别数),即均匀猜测"),
    FactSpec("spike.at_epoch_start", "bool", "", "the onset lies in the first batches of an epoch",
             "骤升发生在某轮最初几个批次"),
    FactSpec("spike.epochs_done", "number", "epochs", "epochs done at the onset", "骤升时已完成的轮数", low=0.0),
    FactSpec("spike.rise_steps", "number", "steps", "steps from the first bad loss to half of the final height",
             "从首个异常损失到升至一半高度的步数"),
    FactSpec("loss.initial_vs_uniform", "number", "x",
             "loss of the first steps over ln(number of classes), what a fresh network should have",
             "最初损失与 ln(类别数) 之比"),
    FactSpec("loss.before", "number", "", "training loss before the onset", "骤升前的训练损失"),
    FactSpec("loss.after", "number", "", "training loss after the onset", "骤升后的训练损失"),
    FactSpec("loss.noise", "number", "", "relative spread of the loss before the onset", "骤升前损失的相对波动", low=0.0),
    FactSpec("val.gap_before", "number", "x", "validation loss over training loss before the onset",
             "骤升前验证损失与训练损失之比"),
    FactSpec("val.epochs_since_best", "number", "evaluations",
             "evaluations from the best validation loss to the onset", "最佳验证损失距骤升的评估次数", low=0.0),
    FactSpec("val.rise_before", "number", "x", "validation loss before the onset over its best",
             "骤升前验证损失与其最佳值之比"),
)  # fmt: skip

_EPOCH_START = 2
"""Batches of an epoch that still count as its start."""


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the curves."""
    yield from _validation(context)
    yield from _start(context)
    if context.onset is None or context.finding is None:
        return
    yield Fact("spike.step", float(context.at))
    yield Fact("spike.culprit_step", float(context.culprit))
    yield Fact("spike.nonfinite", context.finding.nonfinite)
    yield Fact("spike.recovered", context.finding.recovered)
    yield Fact("spike.steps_since_start", float(context.at - context.first))
    yield from _levels(context)
    yield from _position(context)


def _levels(context: Context) -> Iterator[Fact]:
    base, after = context.before("loss"), context.after("loss")
    after = after[np.isfinite(after)]
    if not len(base):
        return
    before = float(np.median(base))
    yield Fact("loss.before", before, context.baseline)
    spread = 1.4826 * float(np.median(np.abs(base - before)))
    yield Fact("loss.noise", spread / max(abs(before), 1e-9), context.baseline)
    if not len(after):
        return
    level = float(np.median(after))
    yield Fact("loss.after", level, context.aftermath)
    if before > 0:
        yield Fact("spike.ratio", float(np.max(after[:20])) / before, context.aftermath)
    yield from _against_start(context, level)
    half = before + (level - before) / 2
    above = np.flatnonzero(after >= half)
    if len(above):
        yield Fact("spike.rise_steps", float(above[0]), context.aftermath)


def _initial(context: Context) -> list[float]:
    start = [r.v.get("loss") for r in context.records(context.first, context.first + 4)]
    return [float(v) for v in start if isinstance(v, int | float) and math.isfinite(v)]


def _start(context: Context) -> Iterator[Fact]:
    initial, classes = _initial(context), context.rank.series("output.classes").value
    if initial and len(classes) and classes[0] > 1:
        yield Fact("loss.initial_vs_uniform", initial[0] / math.log(float(classes[0])))


def _against_start(context: Context, level: float) -> Iterator[Fact]:
    initial = _initial(context)
    if initial and initial[0] > 0 and context.baseline[0] > context.first + 4:
        yield Fact("spike.level_vs_initial", level / float(np.median(initial)), context.aftermath)
    classes = context.before("output.classes")
    if len(classes) and classes[-1] > 1:
        uniform = math.log(float(classes[-1]))
        yield Fact("spike.at_uniform_loss", abs(level - uniform) < 0.05 * uniform, context.aftermath)


def _position(context: Context) -> Iterator[Fact]:
    record = next(iter(context.records(context.at, context.at + 1)), None)
    if record is None:
        return
    if record.batch is not None:
        yield Fact("spike.at_epoch_start", record.batch <= _EPOCH_START)
    if record.epoch is not None:
        yield Fact("spike.epochs_done", float(record.epoch))


def _validation(context: Context) -> Iterator[Fact]:
    evals = [(r.step, r.v.get("val.loss")) for r in context.rank.evals]
    known = [(s, float(v)) for s, v in evals if isinstance(v, int | float)]
    before = [v for s, v in known if s <= context.at and math.isfinite(v)]
    after = [v for s, v in known if s > context.at]
    if before and after and context.onset is not None:
        level = float(np.median(before[-5:]))
        bad = [not math.isfinite(v) or v > 2 * level for v in after[:3]]
        yield Fact("spike.val_jumped", any(bad))
    if len(before) < 3:
        return
    best = int(np.argmin(before))
    yield Fact("val.epochs_since_best", float(len(before) - 1 - best))
    if before[best] > 0:
        yield Fact("val.rise_before", before[-1] / before[best])
    train = context.before("loss")
    if len(train) and float(np.median(train)) > 0:
        yield Fact("val.gap_before", before[-1] / float(np.median(train)))
