"""A socket by which a process started with ``SPIKELORE_LISTEN`` can be attached to without ptrace.

Only processes of the same user, or root, are answered.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import socket
import struct
import threading
from pathlib import Path
from typing import Any

_MAX_REQUEST = 1 << 16
_PATIENCE = 5.0
_SETTLE = 15.0


def start() -> None:
    """Open the socket and answer on a thread, for as long as the process lives."""
    path = _path()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listening.bind(str(path))
    path.chmod(0o600)
    listening.listen(4)
    owner = os.getpid()

    def close() -> None:
        # A forked child inherits this function, not the socket's name.
        if os.getpid() == owner:
            with contextlib.suppress(OSError):
                path.unlink()

    atexit.register(close)
    threading.Thread(target=_serve, args=(listening,), name="spikelore-listener", daemon=True).start()


def socket_path(pid: int) -> Path:
    """Return where a process started with ``SPIKELORE_LISTEN`` listens."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base) if base else Path(f"/tmp/spikelore-{os.getuid()}")  # noqa: S108 - checked on opening
    return folder / f"spikelore-{pid}.sock"


def _path() -> Path:
    path = socket_path(os.getpid())
    path.parent.mkdir(mode=0o700, exist_ok=True)
    status = path.parent.stat()
    own = not os.environ.get("XDG_RUNTIME_DIR")
    if status.st_uid != os.getuid() or (own and status.st_mode & 0o077):
        raise PermissionError(f"{path.parent} belongs to someone else or is open to others")
    return path


def _serve(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(_PATIENCE)
            if _may_ask(connection):
                _answer(connection)


def _may_ask(connection: socket.socket) -> bool:
    """Whether the other side is the same user or root."""
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user in (0, os.getuid())


def _answer(connection: socket.socket) -> None:
    from .control import handle

    request = json.loads(connection.makefile("rb").readline(_MAX_REQUEST))
    done = threading.Event()

    def reply(answer: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(json.dumps(answer).encode() + b"\n")
        done.set()

    try:
        handle(request, reply)
    except Exception as error:  # noqa: BLE001 - the process that trains must not notice
        reply({"error": f"the agent failed ({type(error).__name__}: {error})"})
    done.wait(_SETTLE)
