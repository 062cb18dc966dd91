"""State of the random generator: a repeated state means repeated masks, noise and augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

import torch

from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from ..agent.step import OpenStep


class RandomState(Sensor):
    """Reads torch's CPU generator without using it."""

    name = "rng"
    sampled = True
    FIELDS = (
        Field(
            "rng.state",
            "8 hex digits",
            "text",
            "sampled",
            "Hash of the state of torch's CPU generator at the end of the step.",
        ),
    )

    def finish(self, step: OpenStep) -> None:
        """Hash the state."""
        step.v["rng.state"] = f"{crc32(torch.get_rng_state().numpy().tobytes()):08x}"
