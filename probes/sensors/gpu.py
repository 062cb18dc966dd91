"""GPU state through NVML: temperature, use, memory, power, clocks, throttling and ECC errors."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from ..evidence import Field, Value
from .base import Sensor


class Gpu(Sensor):
    """Reads every GPU of the host once a second; a host without NVML is noted once."""

    name = "gpu"
    FIELDS = (
        Field("gpu.temperature/{i}", "degree Celsius", "scalar", "gauge", "Core temperature."),
        Field("gpu.utilization/{i}", "share", "scalar", "gauge", "Time in which a kernel ran."),
        Field("gpu.memory/{i}", "bytes", "scalar", "gauge", "Memory in use, all processes together."),
        Field("gpu.power/{i}", "W", "scalar", "gauge", "Power draw."),
        Field("gpu.clock/{i}", "MHz", "scalar", "gauge", "Clock of the multiprocessors."),
        Field("gpu.throttle/{i}", "bit mask", "scalar", "gauge", "NVML's reasons for a lowered clock."),
        Field(
            "gpu.ecc_uncorrected/{i}",
            "count",
            "scalar",
            "gauge",
            "Uncorrected memory errors since the driver was loaded.",
        ),
        Field("gpu.absent", "-", "reason", "event", "NVML cannot be used on this host."),
    )

    def install(self) -> None:
        """NVML is loaded by the gauge's thread, so that a slow driver does not hold up the job."""
        self._handles: list[Any] | None = None
        self._unsupported: set[tuple[str, int]] = set()

    def gauge(self, values: dict[str, Value]) -> None:
        """Fill in the readings of every GPU."""
        if self._handles is None:
            self._handles = self._open()
        for index, handle in enumerate(self._handles):
            self._read(values, index, handle)

    def _open(self) -> list[Any]:
        try:
            # Looked for first: importing pynvml, a large file, would hold the interpreter's lock for long.
            ctypes.CDLL("libnvidia-ml.so.1")
            import pynvml
        except (OSError, ImportError) as error:
            self.session.event("gpu.absent", {"reason": str(error)})
            return []
        try:
            pynvml.nvmlInit()
            return [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
        except pynvml.NVMLError as error:
            self.session.event("gpu.absent", {"reason": str(error)})
            return []

    def _read(self, values: dict[str, Value], index: int, handle: Any) -> None:
        import pynvml as nvml

        reasons = getattr(nvml, "nvmlDeviceGetCurrentClocksEventReasons", None)
        readers: dict[str, Callable[[], float]] = {
            "temperature": lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU),
            "utilization": lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100,
            "memory": lambda: nvml.nvmlDeviceGetMemoryInfo(handle).used,
            "power": lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1000,
            "clock": lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM),
            "throttle": lambda: (reasons or nvml.nvmlDeviceGetCurrentClocksThrottleReasons)(handle),
            "ecc_uncorrected": lambda: nvml.nvmlDeviceGetTotalEccErrors(
                handle, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, nvml.NVML_VOLATILE_ECC
            ),
        }
        for name, read in readers.items():
            if (name, index) in self._unsupported:
                continue
            try:
                values[f"gpu.{name}/{index}"] = read()
            except nvml.NVMLError:
                # Many cards lack one sensor or another.
                self._unsupported.add((name, index))
