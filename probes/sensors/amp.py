"""Automatic mixed precision: the loss scale and skipped updates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from ..agent.step import OpenStep


class LossScale(Sensor):
    """Reads the GradScaler of the job when it steps."""

    name = "amp"
    FIELDS = (
        Field(
            "amp.scale",
            "factor",
            "scalar",
            "step",
            "Loss scale that this step's gradients were computed with.",
        ),
        Field(
            "amp.skipped",
            "0/1",
            "scalar",
            "step",
            "1: gradients were non-finite, and the update was left out.",
        ),
    )

    def scaler(self, step: OpenStep, scaler: Any) -> None:
        """Take the scale; ``get_scale`` would wait for the device."""
        step.v.setdefault("amp.skipped", 0)
        if isinstance(scaler._scale, Tensor):
            step.scalar("amp.scale", scaler._scale.detach())
