"""``SpikeloreCallback`` for the Trainer of Hugging Face transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from ..incode import Probe, attach


class SpikeloreCallback(TrainerCallback):  # type: ignore[misc]  # transformers is untyped
    """Puts probes into the Trainer's process while it trains.

    Args:
        run_dir: where the run goes; None for a new folder below the home.
        options: as for `spikelore.attach`.
    """

    def __init__(self, run_dir: Path | str | None = None, **options: Any) -> None:
        self._run_dir = run_dir
        self._options = options
        self.probe: Probe | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the protocol's signature
        """Attach."""
        self.probe = attach(
            kwargs.get("model"),
            kwargs.get("optimizer"),
            scheduler=kwargs.get("lr_scheduler"),
            run_dir=self._run_dir,
            **self._options,
        )

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - the protocol's signature
        """Detach."""
        if self.probe is not None:
            self.probe.detach()
