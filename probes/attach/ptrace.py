"""Borrowing a thread of another process for a function call, by Linux ptrace through ctypes."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from types import TracebackType

from .machine import Machine

_CONT, _DETACH = 7, 17
_GETREGSET, _SETREGSET, _SEIZE, _INTERRUPT = 0x4204, 0x4205, 0x4206, 0x4207
_NT_PRSTATUS = 1
_WALL = 0x40000000
_STATE_BYTES = 1 << 15
_STOP_SECONDS = 5.0

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class BorrowError(Exception):
    """The thread could not be borrowed or the call failed; its state has been put back if it lives."""


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _ptrace(request: int, thread: int, address: int = 0, data: int = 0) -> None:
    if _libc.ptrace(request, thread, address, data) == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class BorrowedThread:
    """A thread stopped for as long as the ``with`` block runs; afterwards it goes on as if nothing had been.

    Args:
        process: the process id.
        thread: one of its threads.
        machine: rules of the processor.

    Attributes:
        stopped_for: seconds the thread was kept, once it has been given back.

    Raises:
        OSError: the kernel refuses; EPERM where the user may not trace the process.
        BorrowError: the thread does not stop.
    """

    def __init__(self, process: int, thread: int, machine: Machine) -> None:
        self._process = process
        self._thread = thread
        self._machine = machine
        self._registers = b""
        self._state = b""
        self._syscall = b""
        self._began = 0.0
        self.stopped_for = 0.0

    def __enter__(self) -> BorrowedThread:
        _ptrace(_SEIZE, self._thread)
        try:
            self._began = time.perf_counter()
            _ptrace(_INTERRUPT, self._thread)
            self._wait_for_stop()
            self._registers = self._read(_NT_PRSTATUS)
            self._state = self._read(self._machine.state)
            if self._machine.syscall is not None:
                self._syscall = self._read(self._machine.syscall)
        except BaseException:
            self._detach()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._write(self._machine.state, self._state)
            self._write(_NT_PRSTATUS, self._registers)
            if self._machine.syscall is not None:
                self._write(self._machine.syscall, self._syscall)
        except ProcessLookupError:
            pass
        finally:
            self._detach()
            self.stopped_for = time.perf_counter() - self._began

    def call(self, function: int, *arguments: int) -> int:
        """Let the thread call a C function of its process and return the result.

        The return address is 0, so the fault at its end hands the thread back to us.

        Raises:
            BorrowError: the call crashed or the process ended.
        """
        registers, slot = self._machine.call(self._registers, function, arguments)
        if slot:
            self.write_memory(slot, b"\0" * 8)
        self._write(_NT_PRSTATUS, registers)
        if self._machine.syscall is not None:
            self._write(self._machine.syscall, b"\xff\xff\xff\xff")
        _ptrace(_CONT, self._thread)
        while True:
            number, event = self._wait()
            current = self._read(_NT_PRSTATUS)
            if number == signal.SIGSEGV and not event:
                place = self._machine.position(current)
                if place == 0:
                    return self._machine.result(current)
                raise BorrowError(f"the call faulted at {place:#x}")
            # Any other signal is the process's own: it gets it.
            _ptrace(_CONT, self._thread, 0, 0 if event else number)

    def write_memory(self, address: int, content: bytes) -> None:
        """Write into the process's memory."""
        with open(f"/proc/{self._process}/mem", "r+b", buffering=0) as memory:
            memory.seek(address)
            memory.write(content)

    def _wait(self) -> tuple[int, int]:
        """Wait for a stop; return (signal, whether it is one of ptrace's own)."""
        _, status = os.waitpid(self._thread, _WALL)
        if not os.WIFSTOPPED(status):
            raise BorrowError("the process ended during the call")
        return os.WSTOPSIG(status), status >> 16

    def _wait_for_stop(self) -> None:
        deadline = time.monotonic() + _STOP_SECONDS
        while True:
            found, status = os.waitpid(self._thread, _WALL | os.WNOHANG)
            if found:
                break
            if time.monotonic() > deadline:
                raise BorrowError("the thread does not stop: it is in an uninterruptible system call")
            time.sleep(0.0001)
        if not os.WIFSTOPPED(status):
            raise BorrowError("the process ended")
        if not status >> 16:
            # A signal of the process's own came first: pass it on and wait for our stop.
            _ptrace(_CONT, self._thread, 0, os.WSTOPSIG(status))
            self._wait_for_stop()

    def _read(self, kind: int) -> bytes:
        buffer = ctypes.create_string_buffer(_STATE_BYTES)
        vector = _Vector(ctypes.addressof(buffer), _STATE_BYTES)
        _ptrace(_GETREGSET, self._thread, kind, ctypes.addressof(vector))
        return buffer.raw[: vector.length]

    def _write(self, kind: int, content: bytes) -> None:
        buffer = ctypes.create_string_buffer(content, len(content))
        vector = _Vector(ctypes.addressof(buffer), len(content))
        _ptrace(_SETREGSET, self._thread, kind, ctypes.addressof(vector))

    def _detach(self) -> None:
        try:
            _ptrace(_DETACH, self._thread)
        except ProcessLookupError:
            return
