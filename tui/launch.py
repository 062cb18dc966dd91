"""From the command line into the application."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from . import language, settings
from .errors import UserError
from .sources import run_or_log


def open_application(
    run: str | None,
    folders: Sequence[Path] = (),
    lang: str | None = None,
    theme: str | None = None,
    screen: str | None = None,
) -> None:
    """Open the application on a run, or on the list of runs, and return when the user leaves.

    Args:
        run: path, id, name or ``latest``; None for the list.
        folders: more folders of runs.
        lang: language asked for.
        theme: theme asked for.
        screen: ``live`` or ``triage``; where None, a run that spiked is opened in the triage.

    Raises:
        UserError: there is no terminal, or no such run.
    """
    directory = run_or_log(run) if run else None
    # A driver of its own means that the application is served to a browser.
    if not (sys.stdin.isatty() and sys.stdout.isatty()) and "TEXTUAL_DRIVER" not in os.environ:
        verb = f"spikelore diagnose {run}" if run else "spikelore runs"
        raise UserError(f"triage: needs a terminal; without one use {verb}")
    for name in ("COLUMNS", "LINES"):
        # Exported by some shells; the terminal itself knows better once it is resized.
        os.environ.pop(name, None)
    chosen = settings.load()
    language.use(language.choose(lang))
    if theme:
        chosen = msgspec.structs.replace(chosen, theme=theme)
    # Textual draws at ticks of a clock and leaves one out after a busy one: at its 60 ticks a second a key
    # pressed right after curves were drawn waited up to 33 ms to be seen.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from .app import SpikeloreApp

    extra = [*folders, *(Path(folder).expanduser() for folder in chosen.folders)]
    if screen is None:
        screen = "triage" if directory and _spiked(directory.alarms()) else "live"
    SpikeloreApp(directory, screen, extra, chosen).run()


def serve_application(
    run: str | None,
    folders: Sequence[Path],
    lang: str | None,
    theme: str | None,
    address: tuple[str, int],
) -> None:
    """Serve the application to browsers until Ctrl+C.

    Raises:
        UserError: the extra is not installed, or there is no such run.
    """
    if find_spec("textual_serve") is None:
        raise UserError("triage --serve: needs textual-serve; install with pip install 'spikelore[serve]'")
    from .serving import serve

    arguments = [str(run_or_log(run).path)] if run else []
    for folder in folders:
        arguments += ["--folder", str(folder)]
    for option, value in (("--lang", lang), ("--theme", theme)):
        arguments += [option, value] if value else []
    serve(arguments, *address)


def _spiked(alarms: Sequence[object]) -> bool:
    return any(getattr(alarm, "level", "") == "alarm" for alarm in alarms)
