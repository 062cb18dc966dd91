"""The demonstration: the job of ``tui.demo`` under the real ``run`` verb, then the TUI or the report."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from ..probes.evidence import RunDirectory
from . import demo, language
from .errors import UserError
from .home import runs_dir

START_SECONDS = 20.0
"""Longest wait for the job's run directory."""


def demonstrate(cause: str, seed: int, run_dir: Path | None, lang: str | None, no_tui: bool) -> int:
    """Run the demonstration and return the exit code.

    Raises:
        UserError: there is no such cause, or a package that the job needs is missing.
    """
    language.use(language.choose(lang))
    missing = [name for name in ("torch", "sklearn") if find_spec(name) is None]
    if missing:
        raise UserError(f"demo: needs {' and '.join(missing)}; install with pip install 'spikelore[demo]'")
    # Short of a minute in the terminal, where somebody watches; as fast as it goes where nobody does.
    watched = sys.stdin.isatty() and sys.stdout.isatty() and not no_tui
    try:
        command = demo.command(cause, seed) if watched else demo.command(cause, seed, pace=0.0)
    except ValueError as error:
        raise UserError(str(error)) from error
    name = f"demo-{cause.rpartition('.')[2]}"
    folder = run_dir or runs_dir() / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"
    with tempfile.TemporaryDirectory(prefix="spikelore-demo-") as work:
        command += ["--workdir", work]
        return _in_terminal(command, folder, name, work) if watched else _on_paper(command, folder, name)


def _on_paper(command: list[str], folder: Path, name: str) -> int:
    from .console import console
    from .diagnosing import diagnose
    from .recording import Options, record_job
    from .report import render

    code = record_job(command, Options(run_dir=folder, name=name))
    if code:
        raise UserError(f"demo: the job ended with exit code {code}; its run is in {folder}")
    console().print()
    console().print(render(diagnose(RunDirectory.open(folder), language.current())))
    console().print(f"\nspikelore triage {folder}", style="dim")
    return 0


def _in_terminal(command: list[str], folder: Path, name: str, work: str) -> int:
    from .launch import open_application

    with _in_background(command, folder, name, Path(work) / "output.log"):
        open_application(str(folder), screen="live")
    print(f"spikelore triage {folder}")
    return 0


@contextlib.contextmanager
def _in_background(command: list[str], folder: Path, name: str, output: Path) -> Iterator[None]:
    """Record the job in a process of its own, as the terminal belongs to the application."""
    verb = [sys.executable, "-m", "spikelore.tui.cli", "run", "--run-dir", str(folder), "--name", name]
    verb += ["--lang", language.current(), "--"]
    with output.open("wb") as stream:
        job = subprocess.Popen([*verb, *command], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream)
    try:
        _await_start(job, folder, output)
        yield
    finally:
        # Nobody looks at a demonstration's job once the application is left.
        job.terminate()
        job.wait()


def _await_start(job: subprocess.Popen[bytes], folder: Path, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "run.json").exists():
        if job.poll() is not None or time.monotonic() > deadline:
            lines = output.read_text(errors="replace").strip().splitlines() or ["no output"]
            raise UserError(f"demo: the job did not start: {lines[-1]}")
        time.sleep(0.05)
