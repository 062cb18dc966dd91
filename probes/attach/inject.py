"""Ways to have a line of Python run by the main thread of another process."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

from .errors import AttachError
from .machine import this_machine
from .ptrace import BorrowedThread, BorrowError
from .target import MAP_MEMORY, PENDING_CALL, REMEDY_PTRACE, RUN_STRING, Target, refusal_of_kernel

_PROT_READ_WRITE, _MAP_PRIVATE_ANONYMOUS = 3, 0x22
_NOWHERE = 2**64 - 1
_HIGHEST_USER_ADDRESS = 2**56
_FUTEX = {"202", "98"}
"""Numbers of the futex system call: x86-64, aarch64."""
_GDB_SECONDS = 30.0


def by_ptrace(target: Target, code: str) -> float:
    """Queue ``code`` as a pending call and return the seconds that one thread was stopped.

    Two C functions are called: mmap for memory to hold the text, then Py_AddPendingCall with
    PyRun_SimpleString. Neither takes the interpreter's lock or allocates from its heap.

    Raises:
        AttachError: the kernel refuses, or the processor is unknown.
    """
    machine = this_machine()
    if machine is None:
        raise AttachError(target.pid, "this processor is unknown to the injection", "install gdb")
    text = code.encode() + b"\0"
    size = (len(text) + 4095) & ~4095
    borrowed = BorrowedThread(target.pid, idle_thread(target.pid), machine)
    try:
        with borrowed as thread:
            place = thread.call(
                target.symbols[MAP_MEMORY], 0, size, _PROT_READ_WRITE, _MAP_PRIVATE_ANONYMOUS, _NOWHERE, 0
            )
            if not 0 < place < _HIGHEST_USER_ADDRESS:
                raise BorrowError("the process has no memory left")
            thread.write_memory(place, text)
            status = thread.call(target.symbols[PENDING_CALL], target.symbols[RUN_STRING], place)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise AttachError(target.pid, refusal_of_kernel(), REMEDY_PTRACE) from error
        raise AttachError(
            target.pid, f"it cannot be traced ({error.strerror})", "see: spikelore ps"
        ) from error
    except BorrowError as error:
        raise AttachError(target.pid, str(error), "try again") from error
    _check_queued(target, status & 0xFFFFFFFF)
    return borrowed.stopped_for


def _check_queued(target: Target, status: int) -> None:
    if status:
        raise AttachError(target.pid, "its queue of pending calls is full", "try again in a moment")


def idle_thread(pid: int) -> int:
    """Return a sleeping helper thread, so that the main one is never stopped, else the main one."""
    for thread in sorted(int(name) for name in os.listdir(f"/proc/{pid}/task")):
        if thread == pid:
            continue
        try:
            words = Path(f"/proc/{pid}/task/{thread}/syscall").read_text(encoding="ascii").split()
        except OSError:
            continue
        if words and words[0] in _FUTEX:
            return thread
    return pid


def by_gdb(target: Target, code: str) -> float:
    """Do the same by gdb: for processors that `by_ptrace` does not know. Stops the process for longer.

    Raises:
        AttachError: gdb is missing or fails.
    """
    program = shutil.which("gdb")
    if program is None:
        raise AttachError(target.pid, "gdb is not installed", "install it: apt-get install gdb")
    size = (len(code) + 4096) & ~4095
    quoted = "".join(f"\\{octet:03o}" for octet in code.encode())
    mmap, add, run = (target.symbols[name] for name in (MAP_MEMORY, PENDING_CALL, RUN_STRING))
    commands = [
        "set confirm off",
        "set auto-solib-add off",
        f"attach {target.pid}",
        f"set $p = ((long (*)(long, long, int, int, int, long)){mmap:#x})(0, {size}, 3, 34, -1, 0)",
        f'set {{char[{len(code.encode()) + 1}]}} $p = "{quoted}"',
        f"set $r = ((int (*)(void *, void *)){add:#x})((void *){run:#x}, (void *)$p)",
        'printf "queued %d\\n", $r',
        "detach",
    ]
    arguments = [program, "-nx", "-batch", *(part for command in commands for part in ("-ex", command))]
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=_GDB_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise AttachError(target.pid, "gdb did not come back", "try again") from error
    if "queued 0" not in done.stdout:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise AttachError(target.pid, f"gdb failed: {reason}", REMEDY_PTRACE)
    return float("nan")


def by_remote_exec(target: Target, script: Path) -> float:
    """Have Python 3.14 run a script by its own means; only the same version can ask it to.

    Raises:
        AttachError: the interpreter refuses.
    """
    ask = f"import sys; sys.remote_exec({target.pid}, {str(script)!r})"
    executable = f"/proc/{target.pid}/exe"
    done = subprocess.run([executable, "-I", "-S", "-c", ask], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise AttachError(target.pid, f"sys.remote_exec failed: {reason}", REMEDY_PTRACE)
    return 0.0
