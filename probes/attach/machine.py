"""How a thread is made to call a function, for each kind of processor."""

from __future__ import annotations

import platform
import struct
from typing import Protocol

_NO_SYSCALL = 2**64 - 1
_RED_ZONE = 512
"""Bytes below the stack pointer that a function may be using without having moved it."""


class Machine(Protocol):
    """Registers of one kind of processor, as the kernel hands them out."""

    @property
    def size(self) -> int:
        """Bytes of the general registers."""
        ...

    @property
    def state(self) -> int:
        """Register set that holds the floating-point and vector state."""
        ...

    @property
    def syscall(self) -> int | None:
        """Register set that names the system call under way, None where that is a register."""
        ...

    def call(self, registers: bytes, function: int, arguments: tuple[int, ...]) -> tuple[bytes, int]:
        """Return registers that begin a call which returns to address 0, and where to put that address.

        The second value is an address to be filled with 8 zero bytes, or 0 if there is none to fill.
        """
        ...

    def position(self, registers: bytes) -> int:
        """Return the address of the next instruction."""
        ...

    def result(self, registers: bytes) -> int:
        """Return what a finished call has returned."""
        ...


class X86_64:  # noqa: N801 - the name of the architecture
    """System V calling convention: arguments in rdi, rsi, rdx, rcx, r8 and r9."""

    names = (
        *("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi"),
        *(
            "rdi",
            "orig_rax",
            "rip",
            "cs",
            "eflags",
            "rsp",
            "ss",
            "fs_base",
            "gs_base",
            "ds",
            "es",
            "fs",
            "gs",
        ),
    )
    size = 27 * 8
    state = 0x202  # NT_X86_XSTATE
    syscall = None

    def call(self, registers: bytes, function: int, arguments: tuple[int, ...]) -> tuple[bytes, int]:
        """See `Machine.call`."""
        values = self._read(registers)
        # A function expects rsp + 8 to be a multiple of 16, the return address having been pushed.
        stack = ((values["rsp"] - _RED_ZONE) & ~15) - 8
        values.update(rip=function, rsp=stack, rax=0, orig_rax=_NO_SYSCALL)
        values.update(zip(("rdi", "rsi", "rdx", "rcx", "r8", "r9"), arguments, strict=False))
        # The ABI wants the direction flag clear.
        values["eflags"] &= ~0x400
        return struct.pack("<27Q", *(values[name] for name in self.names)), stack

    def position(self, registers: bytes) -> int:
        """See `Machine.position`."""
        return self._read(registers)["rip"]

    def result(self, registers: bytes) -> int:
        """See `Machine.result`."""
        return self._read(registers)["rax"]

    def _read(self, registers: bytes) -> dict[str, int]:
        return dict(zip(self.names, struct.unpack("<27Q", registers[: self.size]), strict=True))


class Aarch64:
    """AAPCS64: arguments in x0 to x7, return address in x30. Written from the manuals, never run."""

    size = 34 * 8
    state = 2  # NT_PRFPREG
    syscall = 0x404  # NT_ARM_SYSTEM_CALL

    def call(self, registers: bytes, function: int, arguments: tuple[int, ...]) -> tuple[bytes, int]:
        """See `Machine.call`."""
        values = list(struct.unpack("<34Q", registers[: self.size]))
        values[: len(arguments)] = arguments
        values[30] = 0
        values[31] = (values[31] - _RED_ZONE) & ~15
        values[32] = function
        return struct.pack("<34Q", *values), 0

    def position(self, registers: bytes) -> int:
        """See `Machine.position`."""
        address: int = struct.unpack_from("<Q", registers, 32 * 8)[0]
        return address

    def result(self, registers: bytes) -> int:
        """See `Machine.result`."""
        value: int = struct.unpack_from("<Q", registers, 0)[0]
        return value


def this_machine() -> Machine | None:
    """Return the rules of this processor, None for one that has none here."""
    kinds: dict[str, Machine] = {"x86_64": X86_64(), "aarch64": Aarch64()}
    return kinds.get(platform.machine())
