"""``SpikeloreCallback`` for the Trainer of Lightning, under either of its names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

try:
    from lightning.pytorch import Callback
except ImportError:
    from pytorch_lightning import Callback

from ..incode import Probe, attach


class SpikeloreCallback(Callback):  # type: ignore[misc]  # not installed where types are checked
    """Puts probes into the Trainer's process while it fits.

    Args:
        run_dir: where the run goes; None for a new folder below the home.
        options: as for `spikelore.attach`.
    """

    def __init__(self, run_dir: Path | str | None = None, **options: Any) -> None:
        super().__init__()
        self._run_dir = run_dir
        self._options = options
        self.probe: Probe | None = None

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Attach."""
        optimizers = trainer.optimizers or [None]
        self.probe = attach(pl_module, optimizers[0], run_dir=self._run_dir, **self._options)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - the protocol's signature
        """Detach."""
        if self.probe is not None:
            self.probe.detach()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:  # noqa: ARG002 - the protocol's signature
        """Detach, so that the evidence is whole."""
        if self.probe is not None:
            self.probe.detach()
