"""Saturated and dead activations, read from what the autograd graph keeps of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..agent.walk import graph_nodes
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from ..agent.step import OpenStep

_FORMATS = 100
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
            "Share of the operations behind the loss, of up to 100, whose result is float16.",
        ),
        Field(
            "act.kurtosis",
            "factor",
            "scalar",
            "sampled",
            "Largest kurtosis (mean fourth power over squared mean square) of an activation layer's result, zeros of a ReLU left out: 3 for a normal distribution.",
        ),
    )

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """Walk the graph and measure."""
        nodes = graph_nodes(step, roots)
        if (half := _half(nodes)) is not None:
            step.v["graph.half"] = half
        found = list(islice(_results(nodes), _MAX_LAYERS))
        if not found or len({result.device for _, result in found}) > 1:
            return
        kinds = [kind for kind, _ in found]
        # One operation for all layers: on fast steps the number of operations is what costs.
        samples = _same_length([result.detach() for _, result in found])
        limits = torch.stack([_at_limit(kind, sample) for kind, sample in zip(kinds, samples, strict=True)])
        squares = samples.square()
        rows = torch.stack([limits.float().mean(1), squares.mean(1), squares.square().mean(1)], 1)
        step.later(rows.flatten(), lambda numbers: self._fill(step, kinds, numbers))

    def _fill(self, step: OpenStep, kinds: list[str], numbers: list[float]) -> None:
        shares, squares, fourths = numbers[::3], numbers[1::3], numbers[2::3]
        saturated = [share for kind, share in zip(kinds, shares, strict=True) if kind != "Relu"]
        dead = [share for kind, share in zip(kinds, shares, strict=True) if kind == "Relu"]
        finite = [square for square in squares if square - square == 0.0]
        if saturated:
            step.v["act.saturated"] = max(saturated)
        if dead:
            step.v["act.dead"] = max(dead)
        if finite:
            step.v["act.norm"] = math.sqrt(max(finite))
            step.v["act.kurtosis"] = max(map(_kurtosis, kinds, shares, squares, fourths))
        step.v["act.nonfinite"] = len(squares) - len(finite)


def _same_length(results: list[Tensor]) -> Tensor:
    """Return evenly spaced elements of each, float32 [layers, elements]."""
    count = min(_ELEMENTS, *(result.numel() for result in results))
    flat = (result.reshape(-1) for result in results)
    return torch.stack([each[:: each.numel() // count][:count].float() for each in flat])


def _at_limit(kind: str, sample: Tensor) -> Tensor:
    if kind == "Relu":
        return sample == 0
    return sample.abs() > 1 - _EDGE if kind == "Tanh" else (sample - 0.5).abs() > 0.5 - _EDGE


def _half(nodes: Sequence[Any]) -> float | None:
    """Return the share of the nodes of a graph that compute in float16; None where there is no graph."""
    formats = [
        metadata[0].dtype for node in nodes[:_FORMATS] if (metadata := getattr(node, "_input_metadata", None))
    ]
    return sum(kind is torch.float16 for kind in formats) / len(formats) if formats else None


def _kurtosis(kind: str, share: float, square: float, fourth: float) -> float:
    """Return the mean fourth power over the squared mean square; zeros of a ReLU do not count."""
    counted = 1.0 - share if kind == "Relu" else 1.0
    ratio = counted * fourth / (square * square) if square else 0.0
    return ratio if ratio - ratio == 0.0 else 0.0


def _results(nodes: Iterable[Any]) -> Iterator[tuple[str, Tensor]]:
    """Yield (kind, result) for the activations among the nodes."""
    for node in nodes:
        kind = node.name().removesuffix("Backward0")
        result = getattr(node, "_saved_result", None) if kind in ("Sigmoid", "Tanh", "Relu") else None
        if isinstance(result, Tensor) and result.numel():
            yield kind, result
