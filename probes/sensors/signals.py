"""How large the signals inside a network are, read from its graph: what enters its layers, where attention lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..agent.tensors import strided
from ..agent.walk import graph_nodes
from ..evidence import Field
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
_MIXES = ("Bmm", "Mm", "Baddbmm")
"""Products in which the weights of an attention mix values."""
_PASSES = (
    "View",
    "UnsafeView",
    "Expand",
    "Reshape",
    "Transpose",
    "Permute",
    "NativeDropout",
    "ToCopy",
    "Clone",
    "Mul",
)
"""Operations between a softmax and such a product."""
_MOST = 24
_MOST_SOFTMAXES = 8
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
        Field(
            "gate.load",
            "share",
            "scalar",
            "sampled",
            "Largest mean weight of one entry, over the softmaxes that choose rather than mix, such as routers': "
            "1 sends everything to one expert.",
        ),
    )

    def before_backward(self, step: OpenStep, roots: Sequence[Tensor]) -> None:
        """Walk the graph and measure."""
        entering: list[Tensor] = []
        peaks: list[Tensor] = []
        loads: list[Tensor] = []
        mixing: set[Any] = set()
        for node in graph_nodes(step, roots):
            kind = node.name().removesuffix("Backward0")
            if kind in _ENTERING and len(entering) < _MOST:
                value = _saved(node, _ENTERING[kind])
                if value is not None:
                    entering.append(strided(value, _ELEMENTS))
            elif kind == "Softmax" and len(peaks) < _MOST_SOFTMAXES:
                rows = _rows(_saved(node, "_saved_result"))
                if rows is not None:
                    peaks.append(rows.amax(-1).mean())
                    if node not in mixing:
                        loads.append(rows.mean(0).amax())
            if kind in _MIXES or (kind in _PASSES and node in mixing):
                mixing.update(parent for parent, _ in node.next_functions)
        self._take_sizes(step, entering)
        for name, found in (("attn.peak", peaks), ("gate.load", loads)):
            if found and len({value.device for value in found}) == 1:
                step.scalar(name, torch.stack(found).amax())

    def _take_sizes(self, step: OpenStep, entering: list[Tensor]) -> None:
        if not entering or len({value.device for value in entering}) > 1:
            return
        # float16 would overflow in its own sum of squares.
        full = [value if value.dtype == torch.float32 else value.float() for value in entering]
        counts = [value.numel() for value in full]

        def fill(norms: list[float]) -> None:
            step.v["act.size"] = max(norm / count**0.5 for norm, count in zip(norms, counts, strict=True))

        step.later(torch.stack(torch._foreach_norm(full)), fill)


def _rows(weights: Tensor | None) -> Tensor | None:
    """Return some rows of the result of a softmax, float32 [n, entries]; None for one over too few."""
    if weights is None or weights.dim() < 2 or weights.shape[-1] < _WIDTH:
        return None
    rows = weights.reshape(-1, weights.shape[-1])
    return rows[:: max(1, len(rows) // _ROWS)].float()


def _saved(node: Any, name: str) -> Tensor | None:
    """Return what a node keeps, if it is floating point; one that keeps nothing of it has None, or raises."""
    try:
        found = getattr(node, name, None)
    except RuntimeError:
        return None
    return (
        found.detach() if isinstance(found, Tensor) and found.is_floating_point() and found.numel() else None
    )
