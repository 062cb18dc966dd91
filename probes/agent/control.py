"""Attach and detach as they look from inside the process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from .session import Session


Reply: TypeAlias = Callable[[dict[str, Any]], None]


def handle(request: dict[str, Any], reply: Reply) -> None:
    """Carry out a request; attaching on any thread, letting go on the one that trains.

    Args:
        request: ``action`` is ``attach`` (with ``run``, ``budget``) or ``detach``.
        reply: called once with the answer, from this thread or another: what was found, or ``error``
            and ``remedy``.
    """
    if request.get("action") == "attach":
        reply(_attach(request))
    elif request.get("action") == "detach":
        _detach(reply)
    else:
        reply({"error": f"no such action: {request.get('action')!r}", "remedy": "valid: attach, detach"})


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
    session = begin(settings, claim=True)
    found = survey(session)
    return {"threads": found.pop("threads", None), **found}


def _current() -> Session | None:
    """Return the session of this process; without torch there is none, and nothing shall import it."""
    if "torch" not in sys.modules:
        return None
    from . import session as sessions

    return sessions.current


def _detach(reply: Reply) -> None:
    session = _current()
    if session is None:
        reply({"error": "it is not under probes", "remedy": "see: spikelore ps"})
        return
    from .boot import forget

    session.lifecycle.leave()
    forget()
    threading.Thread(target=_settle, args=(session, reply), name="spikelore-detach", daemon=True).start()


def _settle(session: Session, reply: Reply) -> None:
    """Wait for the probes' threads, which the job's own thread must not do, and answer when all is over."""
    session.lifecycle.settle()
    reply({"run": str(session.settings.run)})
