"""A real PostgreSQL server for tests, from the binaries of the machine, on a port of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest


def binaries() -> Path | None:
    """Return the folder of initdb and postgres, the newest version first."""
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    if found := shutil.which("initdb"):
        folders.append(Path(found).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def missing() -> str | None:
    """Return why no server can be started here, None where one can."""
    if binaries() is None:
        return "no PostgreSQL server binaries on this machine (apt-get install postgresql)"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL refuses to run as root and there is no user postgres or nobody"
    return None


def _other_user() -> str | None:
    import pwd

    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    return None


@contextmanager
def server(durable: bool = False, keep: Path | None = None) -> Iterator[str]:
    """Run a server on 127.0.0.1 and yield the address of its first database.

    Tests kill clients, never the server, so its disk may be lazy unless ``durable`` is asked for. Its data
    stay in the folder ``keep`` where one is given.
    """
    folder = binaries()
    assert folder is not None
    if keep is None:
        data = Path(tempfile.mkdtemp(prefix="spikelore-pg-", dir="/tmp"))
    else:
        data = keep
        data.mkdir(exist_ok=True)
    user = _other_user() if os.geteuid() == 0 else None
    if user:
        shutil.chown(data, user)
    port = _free_port()

    def call(name: str, *arguments: str) -> None:
        command = [str(folder / name), *arguments]
        subprocess.run(command, check=True, capture_output=True, user=user, cwd="/tmp", timeout=60)

    try:
        if not (data / "db").exists():
            arguments = ["-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
            call("initdb", "-D", str(data / "db"), *arguments)
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c max_connections=60"
        )
        if not durable:
            options += " -c fsync=off -c full_page_writes=off"
        call("pg_ctl", "-D", str(data / "db"), "-o", options, "-l", str(data / "log"), "-w", "start")
        try:
            yield f"postgresql://tester@127.0.0.1:{port}/postgres"
        finally:
            mode = "fast" if keep else "immediate"
            call("pg_ctl", "-D", str(data / "db"), "-m", mode, "stop")
    finally:
        if keep is None:
            shutil.rmtree(data, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def fresh_database(address: str, template: str = "template1") -> str:
    """Create a database on a server, empty or a copy of another, and return its address."""
    name = f"cases_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{address.rpartition('/')[0]}/{name}"


def skip_or_fail(reason: str) -> None:
    """Skip where no server can be started, but never in CI: there the tests must run."""
    if os.environ.get("CI"):
        pytest.fail(f"PostgreSQL tests must run in CI: {reason}")
    pytest.skip(reason)
