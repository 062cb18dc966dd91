"""spikelore: the flight recorder and the doctor of a PyTorch training job."""

# No import at module level: the root folder may have any name, and a job that has the
# package installed must not pay for what it does not use.
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .probes.incode import Probe, attach

__version__ = "0.1.0"
__all__ = ["Probe", "attach"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.probes.incode"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
