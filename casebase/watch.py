"""Watches a live run: alarms at once, a diagnosis when there is enough to go by, the incident opened."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ..probes.evidence.reader import RankEvidence, RunEvidence
from ..probes.evidence.rundir import Alarm, RunDirectory, write_atomic
from ..rules.detector.early import Precursor
from ..rules.detector.live import LiveDetector
from ..rules.detector.online import Signal
from .identity import incident_id
from .recording import Recorded, record
from .values import spell

if TYPE_CHECKING:
    from ..rules.diagnosis import Diagnosis
    from .library import CaseLibrary

POLL_SECONDS = 0.2
WAIT_STEPS = 20
"""Steps after an alarm that show whether the loss stays up."""
WAIT_SECONDS = 5.0
"""A slow job is not waited for longer than this."""
_REST = 20.0
"""Between two diagnoses of a run at least this many times the length of the last one passes."""
_MOST_PROBLEMS = 20
_PLANNED = "pattern.planned-change"
_NO_FAULT = (_PLANNED, "pattern.transient-spike", "pattern.noise", "pattern.restart-bump")
"""Patterns that say that nothing is wrong with the run."""

_log = logging.getLogger(__name__)


class Watcher:
    """Follows one run in a thread of its own and never raises into the program that started it.

    It is the only writer of the run's ``alarms.jsonl`` and ``diagnosis.json``. A jump is alarmed unless
    the diagnosis made on the spot knows a plan behind it; an alarm of what a later diagnosis finds to be no
    fault is withdrawn.

    Args:
        run_dir: the run directory; it may still be empty but for its manifest.
        library: where incidents are opened; None leaves the library alone.
        on_alarm: called with every warning and alarm, in the watcher's thread.
        on_diagnosis: called with every diagnosis and the incident's id, in the watcher's thread.
        lang: language of the diagnosis.

    Attributes:
        diagnosis: the newest, None before the first.
        incident: id of the run's newest incident.
        problems: what went wrong while watching, as sentences, at most 20.
    """

    def __init__(
        self,
        run_dir: RunDirectory | Path | str,
        library: CaseLibrary | None = None,
        *,
        on_alarm: Callable[[Alarm], None] | None = None,
        on_diagnosis: Callable[[Diagnosis, str | None], None] | None = None,
        lang: Literal["en", "zh"] = "en",
    ) -> None:
        self.directory = run_dir if isinstance(run_dir, RunDirectory) else RunDirectory(run_dir)
        self.library = library
        self.lang: Literal["en", "zh"] = lang
        self.diagnosis: Diagnosis | None = None
        self.incident: str | None = None
        self.problems: list[str] = []
        self._on_alarm = on_alarm
        self._on_diagnosis = on_diagnosis
        self._run = RunEvidence(self.directory)
        self._detector = LiveDetector()
        self._feed = _Feed()
        self._due: _Due | None = None
        self._standing: list[Alarm] = []
        self._held: list[Alarm] = []
        self._evals_seen = 0
        self._rest_until = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Watcher:
        """Begin to watch and return the watcher."""
        # A daemon: a hung disk must not keep the user's shell from coming back.
        self._thread = threading.Thread(target=self._loop, name="spikelore-watcher", daemon=True)
        self._thread.start()
        return self

    def __enter__(self) -> Watcher:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.finish()

    def finish(self, timeout: float = 60.0) -> Recorded | None:
        """End watching after the job ended: read the rest, diagnose the whole run, and return the result.

        Args:
            timeout: seconds to wait for work that is under way.

        Returns:
            None where no diagnosis could be made; ``problems`` says why.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                self._note(TimeoutError(f"watching {self.directory.path} did not end within {timeout:.0f} s"))
                return None
            self._thread = None
        self._guarded(self._read)
        result: Recorded | None = self._guarded(self._diagnose)
        return result

    def _loop(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self._guarded(self._tick)

    def _guarded(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - watching must never harm the run that is watched
            self._note(error)
            return None

    def _note(self, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        _log.debug("watching %s: %s", self.directory.path, text, exc_info=error)
        if text not in self.problems and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(text)

    def _tick(self) -> None:
        self._read()
        now = time.monotonic()
        if self._due is not None and self._due.is_ripe(self._feed.last_step, now):
            self._due = None
            self._diagnose()
        elif self.diagnosis is not None and self._fresh_validation() and now >= self._rest_until:
            self._diagnose()

    def _read(self) -> None:
        """Take in new evidence and raise the alarms that it calls for."""
        if not self._run.poll():
            return
        for step in self._feed.fresh(self._run.primary):
            signal, moving = self._detector.push(step)
            if signal is not None:
                self._raise(signal, step.step)
            for precursor in moving:
                self._warn(precursor)

    def _warn(self, found: Precursor) -> None:
        """Say what moves although the loss has not; the probes look closer for a while."""
        from ..rules.explain.wording import moves

        self._tell(
            Alarm(
                level="warning",
                step=found.first,
                time=time.time(),
                series=found.quantity,
                before=found.before,
                after=spell(found.value),
                reason=moves("moving", self.lang, found, step=str(found.first)),
            )
        )

    def _raise(self, signal: Signal, now: int) -> None:
        alarm = Alarm(
            level=signal.level,
            step=signal.step,
            time=time.time(),
            epoch=signal.epoch,
            batch=signal.batch,
            before=signal.before,
            after=spell(signal.value),
            reason=_reason(signal),
        )
        if signal.level == "alarm":
            self._due = _Due(now + WAIT_STEPS, time.monotonic() + WAIT_SECONDS)
            alarm.incident = incident_id(self._run.manifest.id, signal.step, signal.epoch)
            plan = "" if signal.nonfinite else self._guarded(self._plan)
            if plan:
                alarm = _withdrawn(alarm, plan)
            (self._held if plan else self._standing).append(alarm)
        self._tell(alarm)

    def _plan(self) -> str:
        """Return the plan of the job that makes the loss jump, as far as is known by now; else nothing."""
        from ..rules import diagnose

        found = diagnose(self._run, lang=self.lang)
        return found.reason if found.pattern == _PLANNED else ""

    def _reconsider(self, diagnosis: Diagnosis) -> None:
        """Raise what was held back where it is a spike after all; withdraw what turned out to be none."""
        if diagnosis.verdict == "spike":
            again = [msgspec.structs.replace(alarm, level="alarm", time=time.time()) for alarm in self._held]
            self._standing, self._held = [*self._standing, *again], []
            for alarm in again:
                self._tell(alarm)
        elif diagnosis.pattern in _NO_FAULT:
            over = [alarm for alarm in self._standing if isinstance(alarm.after, float)]
            self._standing = [alarm for alarm in self._standing if alarm not in over]
            self._held += over
            for alarm in over:
                self._tell(_withdrawn(alarm, diagnosis.reason))

    def _tell(self, alarm: Alarm) -> None:
        self.directory.append_alarm(alarm)
        if self._on_alarm is not None:
            self._on_alarm(alarm)

    def _fresh_validation(self) -> bool:
        return len(self._run.primary.evals) > self._evals_seen

    def _diagnose(self) -> Recorded:
        """Diagnose what is known by now, keep it in the library, and write it into the run directory."""
        from ..rules import diagnose

        started = time.monotonic()
        self._evals_seen = len(self._run.primary.evals)
        diagnosis = diagnose(self._run, lang=self.lang)
        recorded = Recorded(diagnosis)
        if self.library is not None:
            library = self.library
            recorded = self._guarded(lambda: record(self._run, diagnosis, library)) or recorded
        self.diagnosis, self.incident = recorded.diagnosis, recorded.incident or self.incident
        write_atomic(self.directory.diagnosis_path, recorded.diagnosis.to_json())
        self._reconsider(recorded.diagnosis)
        self._rest_until = time.monotonic() + max(1.0, _REST * (time.monotonic() - started))
        if self._on_diagnosis is not None:
            self._on_diagnosis(recorded.diagnosis, recorded.incident)
        return recorded


def _withdrawn(alarm: Alarm, reason: str) -> Alarm:
    return msgspec.structs.replace(alarm, level="withdrawn", time=time.time(), reason=reason)


class _Due:
    """When the diagnosis after an alarm is made: enough steps later, or seconds where steps are slow."""

    def __init__(self, step: int, at: float) -> None:
        self._step = step
        self._at = at

    def is_ripe(self, step: int, now: float) -> bool:
        return step >= self._step or now >= self._at


class _Feed:
    """Hands out each step once, also after the recorder replaced its file by a thinned one."""

    def __init__(self) -> None:
        self.last_step = -1
        self._rank: RankEvidence | None = None
        self._taken = 0

    def fresh(self, rank: RankEvidence) -> list[Any]:
        if rank is not self._rank:
            known = self._rank is not None
            self._rank = rank
            self._taken = sum(record.step <= self.last_step for record in rank.steps) if known else 0
        new = rank.steps[self._taken :]
        self._taken = len(rank.steps)
        if new:
            self.last_step = new[-1].step
        return new


def _reason(signal: Signal) -> str:
    if signal.nonfinite:
        return f"loss {spell(signal.value)} at step {signal.step}"
    ratio = f", {signal.ratio:.1f} times its level" if signal.ratio is not None else ""
    what = "one loss" if signal.level == "warning" else "loss stays up since"
    return f"{what} at step {signal.step}: {signal.value:.4g}{ratio}".replace("since at", "since")
