"""What happens at the start of a session, at its first step, in forked children and at the end."""

from __future__ import annotations

import atexit
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from ..evidence import Gauge, Value
from .surroundings import environment, own_code

if TYPE_CHECKING:
    import threading

    from .session import Session

GAUGE_SECONDS = 1.0


class Lifecycle:
    """Start, claim, fork and end of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._ended = False
        self._stop: threading.Event | None = None
        self._gauges: threading.Thread | None = None
        self._begun: dict[str, Any] = {}
        self._described: dict[str, Any] = {}
        self._finalizer: Any = None

    def begun(self, pid: int, now: float) -> None:
        """The hooks are in place: see to it that the end is noticed."""
        self._begun = {"pid": pid, "time": now}
        atexit.register(self.end)
        _watch_forks()
        self._watch_exceptions()

    def claimed(self) -> None:
        """This process trains: describe it and start the gauges."""
        import threading

        self.describe()
        self._finalize_with_multiprocessing()
        self._stop = threading.Event()
        self._gauges = threading.Thread(target=self._gauge, name="spikelore-gauge", daemon=True)
        self._gauges.start()

    def describe(self) -> None:
        """Tell what this process runs with, once, and again where its code or a version is another by now."""
        found = {**environment(), "code": own_code()}
        if found != self._described:
            self._described = found
            self._session.event("environment", found)

    def end(self) -> None:
        """The process ends or the probes leave; a second call does nothing."""
        if self.leave():
            self.settle()

    def leave(self) -> bool:
        """Take all hooks back, on the job's own thread, without a wait; False when done before."""
        if self._ended:
            return False
        self._ended = True
        if self._stop is not None:
            self._stop.set()
        self._note_blindness()
        self._session.dispatch.protect(self._session.leave)()
        return True

    def settle(self) -> None:
        """Write the rest and wait for the probes' threads; any thread may do this."""
        if self._gauges is not None:
            # A driver that hangs must not hold up the end of the job.
            self._gauges.join(0.5)
        self._session.dispatch.protect(self._session.settle)()
        atexit.unregister(self.end)
        if self._finalizer is not None:
            self._finalizer.cancel()

    def _note_blindness(self) -> None:
        """Say so when the process compiled code and no step of it was seen."""
        counters = getattr(sys.modules.get("torch._dynamo.utils"), "counters", {})
        if not self._session.sink.claimed and counters and counters["frames"].get("total"):
            from .boot import note_failure

            note_failure("no step was seen: the training step is compiled as a whole, which hooks cannot see")

    def _gauge(self) -> None:
        session, stop = self._session, self._stop
        while stop is not None:
            values: dict[str, Value] = {}
            session.dispatch.run("gauge", values)
            if stop.is_set():
                return
            if values:
                session.sink.write(Gauge(session.index, time.time(), values))
            if stop.wait(GAUGE_SECONDS):
                return

    def forked(self) -> None:
        """In a forked child: no thread, and an end of its own."""
        self._stop = self._gauges = None
        self._ended = False
        self._session.forked()

    def _finalize_with_multiprocessing(self) -> None:
        """Children of multiprocessing leave by ``os._exit``, which runs no atexit function."""
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            self._finalizer = util.Finalize(None, self.end, exitpriority=0)

    def _watch_exceptions(self) -> None:
        before = sys.excepthook

        def excepthook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
            if self._session.patches.active:
                self._session.event("run.error", {"type": kind.__name__, "message": str(error)[:300]})
            before(kind, error, trace)

        sys.excepthook = excepthook

        def restore() -> None:
            if sys.excepthook is excepthook:
                sys.excepthook = before

        self._session.patches.on_undo(restore)


_watching_forks = False


def _watch_forks() -> None:
    """Tell the session of the time about forks; a registration cannot be taken back, so it holds none."""
    global _watching_forks  # noqa: PLW0603 - once a process
    if not _watching_forks:
        _watching_forks = True
        os.register_at_fork(after_in_child=_forked)


def _forked() -> None:
    from . import session as sessions

    if sessions.current is not None:
        sessions.current.lifecycle.forked()
