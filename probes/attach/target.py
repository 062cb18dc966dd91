"""Looks at a process before touching it: can it be attached to, and how."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import psutil

from .elf import find_symbols, loaded_files
from .errors import AttachError
from .processes import environment

PENDING_CALL, RUN_STRING, MAP_MEMORY = "Py_AddPendingCall", "PyRun_SimpleString", "mmap"
_VERSION = re.compile(r"python(\d)\.(\d+)")
_OLDEST = (3, 10)


@dataclass(frozen=True)
class Target:
    """A live CPython process.

    Attributes:
        version: of its Python, (major, minor).
        executable: path of the interpreter as the process sees it.
        symbols: addresses of the functions that the injection calls.
    """

    pid: int
    version: tuple[int, int]
    executable: str
    symbols: dict[str, int]


def examine(pid: int) -> Target:
    """Return what is needed to attach to ``pid``.

    Raises:
        AttachError: it cannot be attached to; says why and what to do.
    """
    _check_alive(pid)
    _check_readable(pid)
    if dict(environment(pid)).get("PYTHON_DISABLE_REMOTE_DEBUG"):
        raise AttachError(
            pid,
            "it was started with PYTHON_DISABLE_REMOTE_DEBUG, which asks that nothing be attached",
            "start it again without that variable, or under: spikelore run -- ...",
        )
    executable = os.readlink(f"/proc/{pid}/exe")
    version = _python_version(pid, executable)
    if version < _OLDEST:
        raise AttachError(pid, f"it runs Python {version[0]}.{version[1]}", "valid is Python 3.10 or later")
    return Target(pid, version, executable, _symbols(pid, executable))


def _check_alive(pid: int) -> None:
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            raise AttachError(pid, "it has ended (zombie)", "see: spikelore ps")
    except psutil.NoSuchProcess as error:
        raise AttachError(pid, "there is no such process", "see: spikelore ps") from error
    if pid == os.getpid():
        raise AttachError(pid, "it is this very process", "call spikelore.attach() in the code instead")


def _check_readable(pid: int) -> None:
    try:
        loaded_files(pid)
    except PermissionError as error:
        owner = psutil.Process(pid).username()
        me = psutil.Process().username()
        if owner != me:
            raise AttachError(
                pid, f"it belongs to {owner}, and you are {me}", f"run the command as {owner} or as root"
            ) from error
        raise AttachError(pid, refusal_of_kernel(), REMEDY_PTRACE) from error
    except OSError as error:
        raise AttachError(pid, f"it cannot be read ({error.strerror})", "see: spikelore ps") from error


REMEDY_PTRACE = (
    "run the command as root, give the container --cap-add SYS_PTRACE, set "
    "kernel.yama.ptrace_scope=0, or start the job under: spikelore run -- ..."
)


def refusal_of_kernel() -> str:
    """Say why the kernel does not let this user trace a process of the same user."""
    try:
        scope = Path("/proc/sys/kernel/yama/ptrace_scope").read_text(encoding="ascii").strip()
    except OSError:
        scope = "0"
    if scope in ("1", "2", "3"):
        return f"the kernel forbids tracing (kernel.yama.ptrace_scope is {scope})"
    return "the kernel forbids tracing it: it is traced already, or its container or privileges differ"


def _python_version(pid: int, executable: str) -> tuple[int, int]:
    names = [path for path in loaded_files(pid) if "libpython" in os.path.basename(path)]
    for path in [*names, executable, *loaded_files(pid)]:
        match = _VERSION.search(path)
        if match:
            return int(match[1]), int(match[2])
    if "pypy" in executable.lower():
        raise AttachError(pid, "it runs PyPy", "valid is CPython 3.10 or later")
    raise AttachError(
        pid, f"{executable} is not a Python interpreter", "name the process that trains; see: spikelore ps"
    )


def _symbols(pid: int, executable: str) -> dict[str, int]:
    def python(path: str) -> bool:
        return path == executable or os.path.basename(path).startswith("libpython")

    def libc(path: str) -> bool:
        return os.path.basename(path).startswith(("libc.so", "libc-", "ld-musl"))

    found = find_symbols(pid, (PENDING_CALL, RUN_STRING), python) | find_symbols(pid, (MAP_MEMORY,), libc)
    missing = {PENDING_CALL, RUN_STRING, MAP_MEMORY} - set(found)
    if missing:
        raise AttachError(
            pid,
            f"its interpreter does not export {', '.join(sorted(missing))} (a static or stripped build)",
            "start the job under: spikelore run -- ...",
        )
    return found
