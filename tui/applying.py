"""Living by changed settings at once, without a restart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from . import language

if TYPE_CHECKING:
    from .app import SpikeloreApp
    from .settings import Settings


async def apply(app: SpikeloreApp, values: Settings) -> None:
    """Take over settings that were saved: database, folders, language."""
    before, app.settings = app.settings, values
    follow("SPIKELORE_DB", before.database, values.database)
    follow("SPIKELORE_LANG", before.language, values.language)
    kept = [folder for folder in app.folders if str(folder) not in _expanded(before)]
    app.folders = (*kept, *map(Path, _expanded(values)))
    spoken = language.choose()
    if spoken != language.current():
        language.use(spoken)
        await app.rebuild()


def follow(name: str, before: str, now: str) -> None:
    """Set an environment variable to a setting, unless the environment said something of its own."""
    if os.environ.get(name, "") in ("", before):
        if now:
            os.environ[name] = now
        else:
            os.environ.pop(name, None)


def _expanded(settings: Settings) -> list[str]:
    return [str(Path(folder).expanduser()) for folder in settings.folders]
