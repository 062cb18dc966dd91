"""Starts a training job with probes on board; the job itself stays as it is."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .evidence import EvidenceError, RunDirectory, RunManifest
from .evidence.home import home
from .provenance import git_state, settings_in, versions
from .secrets import mask_command
from .summary import complete

BOOT_FOLDER = Path(__file__).parent / "boot"
_IN_JOB_LIBRARIES = ("msgspec", "psutil", "pynvml")
_FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT")
_KEYBOARD = ("SIGINT", "SIGQUIT")


class LaunchError(Exception):
    """The command cannot be started; the message names it, the problem and what is valid."""


def new_run_id() -> str:
    """Return a fresh id that sorts by time."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"


class Launch:
    """One job under probes: `start` it, then `wait` for it.

    Args:
        command: the job's command line.
        run_dir: where the run goes; None for a new folder below the home.
        name: a name for people; None for the command's.
        project: groups runs.
        budget: share of the step time that probes may take, 0.01 for 1 %.
        environment: further variables for the job.

    Attributes:
        run: the run directory, once started.
        pid: the job's process.
        exit_code: as a shell would report it: 128 + n when signal n ended the job.
    """

    def __init__(
        self,
        command: Sequence[str],
        run_dir: Path | str | None = None,
        *,
        name: str = "",
        project: str = "",
        budget: float | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if not command:
            raise LaunchError("no command to run; valid is: spikelore run -- python train.py ...")
        self.command = list(command)
        self.id = new_run_id()
        self._run_dir = Path(run_dir) if run_dir is not None else home() / "runs" / self.id
        self._name = name
        self._project = project
        self._budget = budget
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.run: RunDirectory | None = None
        self.exit_code: int | None = None

    @property
    def pid(self) -> int | None:
        """The job's process id, None before the start."""
        return self._process.pid if self._process else None

    def start(self) -> RunDirectory:
        """Make the run directory and start the job with this process's stdin, stdout and stderr.

        Raises:
            LaunchError: the command cannot be started, or the run directory cannot be made.
        """
        program = self._program()
        try:
            run = RunDirectory.create(self._run_dir.absolute(), self._manifest())
        except EvidenceError as error:
            raise LaunchError(str(error)) from error
        try:
            self._process = subprocess.Popen(self.command, executable=program, env=self._job_environment(run))
        except OSError as error:
            manifest = run.manifest()
            manifest.state, manifest.ended = "failed", time.time()
            manifest.notes.append(f"the command could not be started: {error.strerror}")
            run.write_manifest(manifest)
            raise LaunchError(_refusal(self.command[0], error)) from error
        self.run = run
        with _telling():
            manifest = run.manifest()
            manifest.pid = self._process.pid
            run.write_manifest(manifest)
        return run

    def _program(self) -> str:
        program = shutil.which(self.command[0])
        if program is None:
            raise LaunchError(
                f"{self.command[0]}: no such command; valid is a program on PATH "
                "or the path of an executable file"
            )
        return program

    def _manifest(self) -> RunManifest:
        masked = mask_command(self.command)
        return RunManifest(
            id=self.id,
            created=time.time(),
            command=masked,
            cwd=os.getcwd(),
            name=self._name or Path(self._run_dir).name,
            project=self._project,
            git=git_state(Path.cwd()),
            versions=versions(),
            settings=settings_in(masked),
            host=os.uname().nodename,
        )

    def _job_environment(self, run: RunDirectory) -> dict[str, str]:
        environment = {**os.environ, **self._environment}
        before = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(BOOT_FOLDER), before]))
        environment["SPIKELORE_RUN"] = str(run.path)
        environment["SPIKELORE_HOME"] = str(home().absolute())
        environment["SPIKELORE_LIBS"] = os.pathsep.join(library_folders())
        if self._budget is not None:
            environment["SPIKELORE_BUDGET"] = str(self._budget)
        return environment

    def wait(self) -> int:
        """Wait for the job, forwarding signals to it, then complete the manifest; return the exit code.

        Raises:
            LaunchError: the job has not been started.
        """
        if self._process is None or self.run is None:
            raise LaunchError("the job has not been started; call start() before wait()")
        with _forwarding(self._process):
            status = self._process.wait()
        self.exit_code = status if status >= 0 else 128 - status
        with _telling():
            complete(self.run, self.exit_code)
        return self.exit_code


def launch(
    command: Sequence[str],
    run_dir: Path | str | None = None,
    *,
    on_start: Callable[[RunDirectory, int], None] | None = None,
    **options: Any,
) -> int:
    """Run a job under probes and return its exit code.

    Args:
        command: the job's command line.
        run_dir: where the run goes; None for a new folder below the home.
        on_start: called with the run directory and the job's process id once it runs; it may start a
            thread that watches the run, and must return.
        options: as for `Launch`.

    Raises:
        LaunchError: the command cannot be started.
    """
    job = Launch(command, run_dir, **options)
    run = job.start()
    if on_start is not None and job.pid is not None:
        on_start(run, job.pid)
    return job.wait()


def _refusal(program: str, error: OSError) -> str:
    hint = "valid is an executable program or a script that begins with #!"
    return f"{program}: cannot be started ({error.strerror}); {hint}"


def library_folders() -> list[str]:
    """Return the folders of the libraries that the agent needs, for jobs in another environment."""
    folders: dict[str, None] = {}
    for name in _IN_JOB_LIBRARIES:
        spec = find_spec(name)
        if spec is not None and spec.origin:
            origin = Path(spec.origin)
            folders[str(origin.parent.parent if spec.submodule_search_locations else origin.parent)] = None
    return list(folders)


@contextlib.contextmanager
def _telling() -> Iterator[None]:
    """Say in a line what could not be written: a full disk must not change how the job ends."""
    try:
        yield
    except (OSError, EvidenceError) as error:
        print(f"spikelore: the manifest of the run is not complete: {error}", file=sys.stderr)


@contextlib.contextmanager
def _forwarding(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Hand signals on to the job while it runs; only the main thread can, elsewhere nothing is changed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def forward(number: int, _frame: Any) -> None:
        process.send_signal(number)

    def from_keyboard(number: int, _frame: Any) -> None:
        # The terminal sends Ctrl-C to the whole group: the job has it already, a second would cut short
        # what it does to stop in order.
        if not _in_foreground():
            process.send_signal(number)

    before = {}
    for names, handler in ((_FORWARDED, forward), (_KEYBOARD, from_keyboard)):
        for name in names:
            number = getattr(signal, name)
            before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old if old is not None else signal.SIG_DFL)


def _in_foreground() -> bool:
    """Whether this process's group is what its terminal sends keyboard signals to."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
