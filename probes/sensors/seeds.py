"""Seeding of random number generators: reseeding in mid-training repeats batches and masks."""

from __future__ import annotations

import random
import sys
from typing import Any

import torch

from ..evidence import Field
from .base import Sensor


class Seeds(Sensor):
    """Watches the seeding functions; no generator is ever used."""

    name = "seeds"
    FIELDS = (
        Field(
            "rng.seeded",
            "-",
            "source, seed",
            "event",
            "A generator was seeded: source torch, numpy or random.",
        ),
    )

    def install(self) -> None:
        """Patch what is imported; importing NumPy for this would cost the job."""
        self._last: dict[str, Any] = {}
        self._watch(torch, "manual_seed", "torch")
        self._watch(random, "seed", "random")
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            self._watch(numpy.random, "seed", "numpy")

    def _watch(self, owner: Any, name: str, source: str) -> None:
        seeded = self.session.dispatch.protect(self._seeded, self)

        def after(_token: Any, _result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            seeded(source, args[0] if args else next(iter(kwargs.values()), None))

        self.session.patches.around(owner, name, after=after)

    def _seeded(self, source: str, seed: Any) -> None:
        # Some loops reseed before every batch: the same seed at the same source is told once a step.
        if self._last.get(source) == (self.session.index, seed):
            return
        self._last[source] = (self.session.index, seed)
        self.session.event("rng.seeded", {"source": source, "seed": seed if isinstance(seed, int) else None})
