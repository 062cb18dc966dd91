"""How large the signals inside a network are, read from its graph: what enters its layers, where attention lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..agent.tensors import strided
from ..evidence import Field
from .activations import graph_nodes
from .base import Sensor

if TYPE_CHECKING:
    from ..agent.step import OpenStep

_ENTERING = {
    "Addmm": "_saved_mat1",
    "Mm": "_saved_self",
    "Bmm": "_saved_self",
    "Convolution": "_saved_input",
    "NativeLayerNorm": "_saved_input",
}
"""Operations by name, and where their nodes keep what enters them."""
_MOST = 24
_ELEMENTS = 1024
_ROWS = 64
_WIDTH = 3
"""A softmax over fewer entries is no attention."""


class Signals(Sensor):
    """Sizes of what enters linear, convolution and normalising layers, and how one-sided attention is."""

    name = "signals"
    sampled = True
    FIELDS = (
        Field(
            "act.size",
            "root mean square",
            "scalar",
            "sampled",
            "Largest root mean square of what enters a linear, convolution or normalising layer.",
        ),
        Field(
            "attn.peak",
            "share",
            "scalar",
            "sampled",
            "Largest mean, over the softmaxes inside the network, of the greatest weight of a row: 1 is one-hot.",
        ),
    )

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """Walk the graph and measure."""
        sizes: list[Tensor] = []
        peaks: list[Tensor] = []
        for node in graph_nodes(roots):
            kind = node.name().removesuffix("Backward0")
            if kind in _ENTERING and len(sizes) < _MOST:
                entering = _saved(node, _ENTERING[kind])
                if entering is not None:
                    sizes.append(strided(entering, _ELEMENTS).float().square().mean().sqrt())
            elif kind == "Softmax" and len(peaks) < _MOST:
                weights = _saved(node, "_saved_result")
                if weights is not None and weights.dim() > 1 and weights.shape[-1] >= _WIDTH:
                    rows = weights.reshape(-1, weights.shape[-1])
                    peaks.append(rows[:: max(1, len(rows) // _ROWS)].float().amax(-1).mean())
        for name, found in (("act.size", sizes), ("attn.peak", peaks)):
            if found and len({value.device for value in found}) == 1:
                step.scalar(name, torch.stack(found).amax())


def _saved(node: Any, name: str) -> Tensor | None:
    """Return what a node keeps, if it is floating point; one that keeps nothing of it has None, or raises."""
    try:
        found = getattr(node, name, None)
    except RuntimeError:
        return None
    return (
        found.detach() if isinstance(found, Tensor) and found.is_floating_point() and found.numel() else None
    )
