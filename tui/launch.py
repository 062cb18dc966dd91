"""From the command line into the application."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
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
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        verb = f"spikelore diagnose {run}" if run else "spikelore runs"
        raise UserError(f"triage: needs a terminal; without one use {verb}")
    for name in ("COLUMNS", "LINES"):
        # Exported by some shells; the terminal itself knows better once it is resized.
        os.environ.pop(name, None)
    chosen = settings.load()
    language.use(language.choose(lang))
    if theme:
        chosen = msgspec.structs.replace(chosen, theme=theme)
    from .app import SpikeloreApp

    extra = [*folders, *(Path(folder).expanduser() for folder in chosen.folders)]
    if screen is None:
        screen = "triage" if directory and _spiked(directory.alarms()) else "live"
    SpikeloreApp(directory, screen, extra, chosen).run()


def _spiked(alarms: Sequence[object]) -> bool:
    return any(getattr(alarm, "level", "") == "alarm" for alarm in alarms)
