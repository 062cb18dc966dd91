"""Saturated and dead activations, read from what the autograd graph keeps of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..agent.tensors import strided
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from ..agent.step import OpenStep

_MAX_NODES = 2000
_FORMATS = 300
"""Nodes from the loss down whose number format is looked at."""
_MAX_LAYERS = 12
_ELEMENTS = 2048
_EDGE = 0.01


class Activations(Sensor):
    """Looks at the results of sigmoid, tanh and ReLU, module or function alike, wherever they are used."""

    name = "activations"
    sampled = True
    FIELDS = (
        Field(
            "act.saturated",
            "share",
            "scalar",
            "sampled",
            "Largest share, over the layers, of sigmoid or tanh results within 0.01 of their limits.",
        ),
        Field(
            "act.dead",
            "share",
            "scalar",
            "sampled",
            "Largest share, over the layers, of ReLU results that are zero.",
        ),
        Field("act.nonfinite", "count", "scalar", "sampled", "Activation layers with a non-finite result."),
        Field(
            "act.norm",
            "root mean square",
            "scalar",
            "sampled",
            "Largest root mean square of an activation layer's result.",
        ),
        Field(
            "graph.half",
            "share",
            "scalar",
            "sampled",
            "Share of the operations behind the loss, of up to 300, whose result is float16.",
        ),
        Field(
            "act.kurtosis",
            "factor",
            "scalar",
            "sampled",
            "Largest kurtosis of an activation layer's result, zeros of a ReLU left out: 3 for a normal distribution.",
        ),
    )

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """Walk the graph and measure."""
        kinds: list[str] = []
        rows: list[Tensor] = []
        nodes = list(graph_nodes(roots))
        if (half := _half(nodes)) is not None:
            step.v["graph.half"] = half
        for kind, result in _results(nodes):
            sample = strided(result.detach(), _ELEMENTS).float()
            limit = (sample.abs() > 1 - _EDGE) if kind == "Tanh" else ((sample - 0.5).abs() > 0.5 - _EDGE)
            at_limit = (sample == 0) if kind == "Relu" else limit
            kinds.append(kind)
            kurtosis = _kurtosis(sample, sample != 0 if kind == "Relu" else torch.ones_like(sample))
            rows.append(torch.stack([at_limit.float().mean(), sample.square().mean().sqrt(), kurtosis]))
            if len(rows) >= _MAX_LAYERS:
                break
        if rows and len({row.device for row in rows}) == 1:
            step.later(torch.stack(rows).flatten(), lambda numbers: self._fill(step, kinds, numbers))

    def _fill(self, step: OpenStep, kinds: list[str], numbers: list[float]) -> None:
        shares, sizes, tails = numbers[::3], numbers[1::3], numbers[2::3]
        saturated = [share for kind, share in zip(kinds, shares, strict=True) if kind != "Relu"]
        dead = [share for kind, share in zip(kinds, shares, strict=True) if kind == "Relu"]
        finite = [size for size in sizes if size - size == 0.0]
        if saturated:
            step.v["act.saturated"] = max(saturated)
        if dead:
            step.v["act.dead"] = max(dead)
        if finite:
            step.v["act.norm"] = max(finite)
            step.v["act.kurtosis"] = max((tail for tail in tails if tail - tail == 0.0), default=0.0)
        step.v["act.nonfinite"] = len(sizes) - len(finite)


def _half(nodes: Sequence[Any]) -> float | None:
    """Return the share of the nodes of a graph that compute in float16; None where there is no graph."""
    formats = [
        node._input_metadata[0].dtype
        for node in nodes[:_FORMATS]
        if getattr(node, "_input_metadata", None) and not node.name().endswith("AccumulateGrad")
    ]
    return sum(kind is torch.float16 for kind in formats) / len(formats) if formats else None


def _kurtosis(values: Tensor, counted: Tensor) -> Tensor:
    """Return the fourth central moment over the squared variance of the counted values; 0 where they are equal."""
    weights = counted / counted.sum().clamp_min(1)
    deviations = values - (weights * values).sum()
    squares = deviations.square()
    return (weights * squares.square()).sum() / (weights * squares).sum().square().clamp_min(1e-30)


def _results(nodes: Iterable[Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield (kind, result) for the activations among the nodes."""
    for node in nodes:
        kind = node.name().removesuffix("Backward0")
        result = getattr(node, "_saved_result", None) if kind in ("Sigmoid", "Tanh", "Relu") else None
        if isinstance(result, Tensor) and result.numel():
            yield kind, result


def graph_nodes(roots: Sequence[Tensor]) -> Iterator[Any]:
    """Yield the nodes of the graph, from the loss down."""
    seen: set[Any] = set()
    queue: list[Any] = [root.grad_fn for root in roots]
    while queue and len(seen) < _MAX_NODES:
        node = queue.pop(0)
        if node is None or node in seen:
            continue
        seen.add(node)
        yield node
        queue.extend(parent for parent, _ in node.next_functions)
