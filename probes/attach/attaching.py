"""Attach and detach: from a process id to a run directory with evidence, and back to nothing."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import psutil

from ..agent.listener import socket_path
from ..evidence import EvidenceError, RunDirectory, RunManifest
from ..evidence.home import home
from ..launch import library_folders, new_run_id
from ..provenance import git_state, settings_in, versions
from ..secrets import mask_command
from ..summary import complete
from .errors import AttachError
from .inject import by_gdb, by_ptrace, by_remote_exec
from .machine import this_machine
from .processes import ranks_of
from .target import Target, examine

_AGENT = Path(__file__).parent.parent / "agent"
_ANSWER_SECONDS = 20.0


@dataclass
class Attachment:
    """Processes under probes.

    Attributes:
        mechanism: by process, how its agent got in: ``ptrace``, ``gdb``, ``remote_exec`` or ``socket``.
        stopped: by process, seconds that one of its threads was stopped; NaN where that is not known.
        found: by process, what its agent found by itself: model, optimizers, schedulers, loaders.
    """

    run: RunDirectory
    pids: list[int]
    mechanism: dict[int, str] = field(default_factory=dict)
    stopped: dict[int, float] = field(default_factory=dict)
    found: dict[int, dict[str, Any]] = field(default_factory=dict)

    def alive(self) -> bool:
        """Whether any of the processes still runs."""
        return any(_alive(pid) for pid in self.pids)

    def wait(self, poll: float = 0.5) -> None:
        """Wait until all processes have ended, then complete the manifest."""
        while self.alive():
            time.sleep(poll)
        complete(self.run, None)


def attach(
    pid: int,
    run_dir: Path | str | None = None,
    *,
    budget: float | None = None,
    timeout: float = _ANSWER_SECONDS,
    mechanism: str | None = None,
) -> Attachment:
    """Put probes into a running process; a launcher such as torchrun stands for all ranks below it.

    Args:
        pid: the process.
        run_dir: where the run goes; None for a new folder below the home.
        budget: share of the step time that probes may take, 0.01 for 1 %.
        timeout: seconds to wait until the process has run the agent's start.
        mechanism: ``ptrace``, ``gdb``, ``remote_exec`` or ``socket``; None for the best that works.

    Raises:
        AttachError: it cannot be attached to; says why and what to do.
    """
    pids = ranks_of(pid)
    targets = [examine(each) for each in pids]
    run = _make_run(pids[0], run_dir, len(pids))
    attachment = Attachment(run, pids)
    for target in targets:
        _check_shared(target, run)
        request = {"action": "attach", "run": str(run.path), "budget": budget, "libraries": library_folders()}
        answer = _ask(target, run, request, timeout, mechanism)
        attachment.mechanism[target.pid] = answer.pop("mechanism")
        attachment.stopped[target.pid] = answer.pop("stopped")
        attachment.found[target.pid] = answer
    return attachment


def detach(pid: int, *, timeout: float = _ANSWER_SECONDS, mechanism: str | None = None) -> list[Path]:
    """Take probes out of a process (or out of all ranks of a launcher) and return their run directories.

    Afterwards the process has no hook, patch, thread or file of the probes any more.

    Raises:
        AttachError: it cannot be reached, or has no probes.
    """
    runs: list[Path] = []
    for each in ranks_of(pid):
        target = examine(each)
        answer = _ask(target, None, {"action": "detach"}, timeout, mechanism)
        if answer.get("run"):
            path = Path(answer["run"])
            if path not in runs:
                runs.append(path)
    for path in runs:
        complete(RunDirectory.open(path), None)
    return runs


def _make_run(pid: int, run_dir: Path | str | None, world: int) -> RunDirectory:
    run_id = new_run_id()
    path = Path(run_dir) if run_dir is not None else home() / "runs" / run_id
    process = psutil.Process(pid)
    masked = mask_command(process.cmdline())
    manifest = RunManifest(
        id=run_id,
        created=time.time(),
        command=masked,
        cwd=process.cwd(),
        name=path.name,
        git=git_state(Path(process.cwd())),
        versions=versions(),
        settings=settings_in(masked),
        pid=pid,
        host=os.uname().nodename,
        world_size=world,
        notes=["attached while running: what happened before is not in the evidence"],
    )
    try:
        return RunDirectory.create(path.absolute(), manifest)
    except EvidenceError as error:
        raise AttachError(pid, str(error), "choose another --run-dir") from error


def _check_shared(target: Target, run: RunDirectory) -> None:
    if not os.path.exists(f"/proc/{target.pid}/root{run.path}"):
        raise AttachError(
            target.pid,
            f"it runs in a container that does not see {run.path}",
            "choose a --run-dir on a file system that both share",
        )


def _ask(
    target: Target, run: RunDirectory | None, request: dict[str, Any], timeout: float, mechanism: str | None
) -> dict[str, Any]:
    """Deliver a request and return the agent's answer, with how it got there."""
    listening = socket_path(target.pid)
    if mechanism == "socket" or (mechanism is None and listening.exists()):
        answer = _by_socket(target, listening, request, timeout)
        return {"mechanism": "socket", "stopped": 0.0, **answer}
    folder = (run.path if run is not None else _scratch()) / "attach"
    folder.mkdir(parents=True, exist_ok=True)
    ticket = folder / f"{target.pid}-{time.time_ns()}"
    asked, answered = ticket.with_suffix(".request"), ticket.with_suffix(".answer")
    asked.write_text(json.dumps({**request, "answer": str(answered)}), encoding="utf-8")
    chosen, stopped = _deliver(target, asked, mechanism)
    try:
        answer = _await(target, answered, timeout)
    finally:
        # Without its request a payload that runs late does nothing.
        asked.unlink(missing_ok=True)
        asked.with_suffix(".py").unlink(missing_ok=True)
        answered.unlink(missing_ok=True)
    return {"mechanism": chosen, "stopped": stopped, **_checked(target, answer)}


def _deliver(target: Target, asked: Path, mechanism: str | None) -> tuple[str, float]:
    if mechanism is None:
        native = "ptrace" if this_machine() is not None else "gdb"
        mechanism = "remote_exec" if target.version >= (3, 14) else native
    code = payload(asked)
    if mechanism == "remote_exec":
        script = asked.with_suffix(".py")
        script.write_text(code, encoding="utf-8")
        return mechanism, by_remote_exec(target, script)
    ways: dict[str, Callable[[Target, str], float]] = {"ptrace": by_ptrace, "gdb": by_gdb}
    if mechanism not in ways:
        raise AttachError(
            target.pid, f"no mechanism {mechanism!r}", "valid: ptrace, gdb, remote_exec, socket"
        )
    return mechanism, ways[mechanism](target, code)


def payload(asked: Path) -> str:
    """Return the line that the process runs: it loads one file of the agent, and swallows every error."""
    remote = str(_AGENT / "remote.py")
    # In a namespace of its own: PyRun_SimpleString runs in __main__, whose names are the job's.
    code = (
        f"exec(compile(open({remote!r}).read(), {remote!r}, 'exec'), n := {{'__name__': '_spikelore_remote', "
    )
    code += f"'__file__': {remote!r}}}); n['serve']({str(asked)!r})"
    return f"try: exec({code!r}, {{}})\nexcept BaseException: pass\n"


def _await(target: Target, answered: Path, timeout: float) -> dict[str, Any]:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if answered.exists():
            answer: dict[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
            return answer
        if not _alive(target.pid):
            raise AttachError(target.pid, "it ended before the agent could start", "see: spikelore ps")
        time.sleep(0.005)
    raise AttachError(
        target.pid,
        f"its main thread ran no Python code for {timeout:.0f} s: it is in a long call, or sleeps while "
        "another thread trains",
        "try again later, or start the job under: spikelore run -- ...",
    )


def _checked(target: Target, answer: dict[str, Any]) -> dict[str, Any]:
    if error := answer.get("error"):
        raise AttachError(target.pid, str(error), answer.get("remedy") or "see docs/probes.md")
    return answer


def _by_socket(target: Target, path: Path, request: dict[str, Any], timeout: float) -> dict[str, Any]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout)
            connection.connect(str(path))
            connection.sendall(json.dumps(request).encode() + b"\n")
            reply = connection.makefile("rb").readline(1 << 20)
    except OSError as error:
        raise AttachError(target.pid, f"its socket does not answer ({error})", "attach by ptrace") from error
    return _checked(target, msgspec.json.decode(reply, type=dict[str, Any]))


def _scratch() -> Path:
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
