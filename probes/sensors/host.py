"""Host memory and load."""

from __future__ import annotations

import os

from ..evidence import Field, Value
from .base import Sensor


class Host(Sensor):
    """Reads the host's and the process's state once a second."""

    name = "host"
    FIELDS = (
        Field("host.memory", "share", "scalar", "gauge", "Used part of the host's memory."),
        Field("host.load", "processes", "scalar", "gauge", "Load average over one minute."),
        Field("host.swap", "share", "scalar", "gauge", "Used part of the swap space."),
        Field("process.rss", "bytes", "scalar", "gauge", "Resident memory of the job's process."),
    )

    def gauge(self, values: dict[str, Value]) -> None:
        """Fill in the readings."""
        import psutil

        values["host.memory"] = round(psutil.virtual_memory().percent / 100, 4)
        values["host.swap"] = round(psutil.swap_memory().percent / 100, 4)
        values["host.load"] = round(os.getloadavg()[0], 2)
        values["process.rss"] = psutil.Process().memory_info().rss
