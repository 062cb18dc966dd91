"""Gradient clipping: whether the job clips, to what, and on gradients in which state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from ..agent.step import OpenStep


class Clipping(Sensor):
    """Notes each clip call; the norm that the job computes itself costs nothing to record."""

    name = "clipping"
    FIELDS = (
        Field(
            "grad.clip_calls", "count", "scalar", "step", "Calls of a clipping function before the update."
        ),
        Field(
            "grad.clip_max_norm",
            "L2",
            "scalar",
            "step",
            "Limit of the last call (of clip_grad_value_: per element).",
        ),
        Field(
            "grad.clip_scaled",
            "0/1",
            "scalar",
            "step",
            "1: clipped while still multiplied by AMP's loss scale.",
        ),
    )

    def install(self) -> None:
        """No step yet."""
        self._step = -1
        self._square = 0.0

    def after_clip(self, step: OpenStep, limit: float, norm: Tensor | None) -> None:
        """Count the call and take the norm; a step without one says so from its start."""
        if self._step != step.index:
            self._step, self._square = step.index, 0.0
        calls = step.v.get("grad.clip_calls")
        step.v["grad.clip_calls"] = (calls if isinstance(calls, int) else 0) + 1
        step.v["grad.clip_max_norm"] = float(limit)
        if step.scaled:
            step.v["grad.clip_scaled"] = 1
        if isinstance(norm, Tensor) and not hasattr(norm, "to_local"):
            scale = self.session.scale_of(step)
            norm = norm.detach().reshape(())
            norm = norm if scale is None else norm / scale
            step.later(norm, lambda numbers: self._take(step, numbers[0]))

    def _take(self, step: OpenStep, norm: float) -> None:
        self._square += norm * norm
        step.v["grad.norm"] = self._square**0.5
