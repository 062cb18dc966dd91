"""Facts of what is evaluated where that is not the model that is trained."""

from __future__ import annotations

from collections.abc import Iterator

from .context import Context, number
from .registry import Fact, FactSpec

FACTS = (
    FactSpec("eval.copy", "bool", "", "a copy of the trained model evaluates, such as a moving average",
             "评估的是训练模型的副本(如滑动平均)"),
    FactSpec("eval.copy_distance", "number", "", "distance of the copy's parameters from the trained ones over their norm",
             "副本参数与训练参数的相对距离", low=0.0),
    FactSpec("eval.buffer_distance", "number", "", "the same of the buffer that is farthest off", "偏离最大的缓冲区的相对距离", low=0.0),
    FactSpec("eval.buffer_behind", "number", "x", "distance of that buffer over the distance of the parameters",
             "该缓冲区距离与参数距离之比", low=0.0),
    FactSpec("eval.buffer", "text", "", "name of that buffer", "该缓冲区名称"),
)  # fmt: skip

_EQUAL = 1e-3
"""Distance below which parameters are as good as equal; a ratio to less would say nothing."""


def extract(context: Context) -> Iterator[Fact]:
    """Yield the facts of the copy that was evaluated last; up to the moment of a spike where there is one."""
    if not context.rank.evals:
        return
    seen = context.events("eval.copy", None, None if context.onset is not None else context.last)
    yield Fact("eval.copy", bool(seen))
    if not seen:
        return
    data = seen[-1].data
    parameters, buffers = number(data.get("parameters")), number(data.get("buffers"))
    if parameters is None:
        return
    yield Fact("eval.copy_distance", parameters)
    if buffers is not None:
        yield Fact("eval.buffer_distance", buffers)
        yield Fact("eval.buffer_behind", buffers / max(parameters, _EQUAL))
        yield Fact("eval.buffer", str(data.get("buffer", "")))
