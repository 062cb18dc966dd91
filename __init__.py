"""spikelore: the flight recorder and the doctor of a PyTorch training job."""

# No import at module level: the root folder may have any name, and a job that has the
# package installed must not pay for what it does not use.
from __future__ import annotations

__version__ = "0.1.0"
