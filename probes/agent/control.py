"""Attach and detach as they look from inside the process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .session import Session


def handle(request: dict[str, Any]) -> dict[str, Any]:
    """Carry out a request and return the answer: what was found, or ``error`` and ``remedy``.

    Args:
        request: ``action`` is ``attach`` (with ``run``, ``budget``) or ``detach``.
    """
    if request.get("action") == "attach":
        return _attach(request)
    if request.get("action") == "detach":
        return _detach()
    return {"error": f"no such action: {request.get('action')!r}", "remedy": "valid: attach, detach"}


def _attach(request: dict[str, Any]) -> dict[str, Any]:
    if "torch" not in sys.modules:
        return {"error": "it has not imported torch", "remedy": "name the process that trains: spikelore ps"}
    session = _current()
    if session is not None:
        run = session.settings.run
        return {
            "error": f"it is under probes already, and its run is {run}",
            "remedy": "look at that run, or let go of the process first: spikelore detach PID",
        }
    from .discovery import survey
    from .session import begin
    from .settings import Settings

    budget = request.get("budget")
    folder = Path(str(request["run"]))
    settings = Settings(folder) if budget is None else Settings(folder, budget=float(budget))
    session = begin(settings)
    found = survey(session)
    return {"threads": found.pop("threads", None), **found}


def _current() -> Session | None:
    """Return the session of this process; without torch there is none, and nothing shall import it."""
    if "torch" not in sys.modules:
        return None
    from . import session as sessions

    return sessions.current


def _detach() -> dict[str, Any]:
    session = _current()
    if session is None:
        return {"error": "it is not under probes", "remedy": "see: spikelore ps"}
    run = str(session.settings.run)
    session.lifecycle.end()
    from .boot import forget

    forget()
    return {"run": run}
