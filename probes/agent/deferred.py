"""Reads numbers from a GPU without making the job wait for it.

The device tensors of a step are joined, copied to pinned memory by a non-blocking copy, and read once
an event behind that copy has passed, usually one step later; then the step's record is written.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .step import OpenStep

_MAX_WAITING = 16


@dataclass
class _Pending:
    step: OpenStep
    numbers: Tensor
    event: Any
    fills: list[tuple[int, Callable[[list[float]], None]]]

    def fill(self) -> None:
        numbers = self.numbers.tolist()
        first = 0
        for count, fill in self.fills:
            fill(numbers[first : first + count])
            first += count


class Deferred:
    """Steps whose numbers are still on the device, in order.

    Args:
        write: called with each step once its numbers are in.
    """

    def __init__(self, write: Callable[[OpenStep], None]) -> None:
        self._write = write
        self._queue: deque[_Pending] = deque()

    @property
    def pending(self) -> bool:
        """Whether an earlier step still waits for its numbers."""
        return bool(self._queue)

    def put(self, step: OpenStep) -> None:
        """Write a step when its numbers have come; at once if it waits for none."""
        self.poll()
        waiting, step.waiting = step.waiting, []
        if not waiting and not self._queue:
            self._write(step)
            return
        self._queue.append(_start_copy(step, waiting))
        if len(self._queue) > _MAX_WAITING:
            self._settle(self._queue.popleft())

    def poll(self) -> None:
        """Write the steps whose numbers have come."""
        while self._queue and (self._queue[0].event is None or self._queue[0].event.query()):
            self._settle(self._queue.popleft())

    def drain(self) -> None:
        """Wait for all numbers: the job is over."""
        while self._queue:
            pending = self._queue.popleft()
            if pending.event is not None:
                pending.event.synchronize()
            self._settle(pending)

    def clear(self) -> None:
        """Forget what waits: in a forked child the device is out of reach."""
        self._queue.clear()

    def _settle(self, pending: _Pending) -> None:
        if pending.event is not None:
            pending.event.synchronize()
        pending.fill()
        self._write(pending.step)


def _start_copy(step: OpenStep, waiting: list[tuple[Tensor, Callable[[list[float]], None]]]) -> _Pending:
    fills = [(tensor.numel(), fill) for tensor, fill in waiting]
    if not waiting:
        return _Pending(step, torch.empty(0), None, fills)
    devices = {tensor.device for tensor, _ in waiting}
    device = waiting[0][0].device
    if len(devices) > 1 or device.type != "cuda":
        # No pinned copies here (several devices, or one without events): the plain way, which waits.
        numbers = torch.cat([tensor.double().cpu() for tensor, _ in waiting])
        return _Pending(step, numbers, None, fills)
    joined = torch.cat([tensor.double() for tensor, _ in waiting])
    numbers = torch.empty(joined.shape, dtype=joined.dtype, device="cpu", pin_memory=True)
    numbers.copy_(joined, non_blocking=True)
    event: Any = torch.cuda.Event()  # type: ignore[no-untyped-call]
    event.record(torch.cuda.current_stream(device))
    return _Pending(step, numbers, event, fills)
