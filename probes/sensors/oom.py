"""Out-of-memory errors, those that the job catches too."""

from __future__ import annotations

from typing import Any

import torch

from ..evidence import Field
from .base import Sensor


class OutOfMemory(Sensor):
    """Every such error is made by calling its class, so its constructor sees the caught ones as well."""

    name = "oom"
    FIELDS = (
        Field(
            "oom", "-", "message", "event", "torch.OutOfMemoryError was raised; the job may have caught it."
        ),
    )

    def install(self) -> None:
        """Watch the constructor."""
        kind = getattr(torch, "OutOfMemoryError", None) or torch.cuda.OutOfMemoryError
        raised = self.session.dispatch.protect(self._raised, self)
        self.session.patches.around(kind, "__init__", after=lambda _t, _r, args, _k: raised(args))

    def _raised(self, args: tuple[Any, ...]) -> None:
        message = str(args[1]) if len(args) > 1 else ""
        self.session.event("oom", {"message": message[:500]})
        self.session.alert()
