"""Attention logits: their growth comes before many divergences of transformers."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name every PyTorch user knows
from torch import Tensor

from ..evidence import Field
from .base import Sensor

_QUERIES = 8
_HEADS = 4


class Attention(Sensor):
    """Recomputes a few rows of q k / sqrt(d) for the calls of scaled_dot_product_attention."""

    name = "attention"
    sampled = True
    FIELDS = (
        Field(
            "attn.logit_max",
            "absolute",
            "scalar",
            "sampled",
            "Largest attention logit of eight queries of up to four heads of the first sample, over all layers.",
        ),
    )

    def install(self) -> None:
        """Watch the function that attention modules call."""
        self._largest: list[Tensor] = []
        called = self.session.dispatch.protect(self._called, self)

        def after(_token: Any, _result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if self.name in self.session.dispatch.due and torch.is_grad_enabled():
                called(args, kwargs)

        self.session.patches.around(F, "scaled_dot_product_attention", after=after)

    def _called(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        query = args[0] if args else kwargs["query"]
        key = args[1] if len(args) > 1 else kwargs["key"]
        if query.dim() < 3 or len(self._largest) >= 256 or self.session.steps.in_backward:
            return
        with torch.no_grad():
            scale = kwargs.get("scale") or 1 / math.sqrt(query.shape[-1])
            rows, columns = _first(query), _first(key)
            rows = rows[..., :: max(1, rows.shape[-2] // _QUERIES), :]
            if rows.shape[0] == columns.shape[0]:
                self._largest.append((rows.float() @ columns.float().transpose(-1, -2)).abs().max() * scale)

    def finish(self, step: Any) -> None:
        """Write the largest of the step."""
        largest, self._largest = self._largest, []
        if largest:
            step.scalar("attn.logit_max", torch.stack(largest).max())


def _first(tensor: Tensor) -> Tensor:
    """Return up to four heads of the first sample, [heads, length, width]."""
    tensor = tensor.detach()
    while tensor.dim() > 3:
        tensor = tensor[0]
    return tensor[:_HEADS]
