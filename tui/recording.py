"""One recorded job: started, watched from this process, and summed up in one line when it ends."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..probes.evidence import RunDirectory
from ..probes.evidence.rundir import Alarm
from . import language, notifying, settings
from .language import tr
from .numbers import number, percent
from .runs import named

if TYPE_CHECKING:
    from ..casebase import CaseLibrary, Watcher

FINISH_SECONDS = 20.0
"""Longest wait for the last diagnosis after the job ended."""


@dataclass(frozen=True)
class Options:
    """How a job is recorded; the fields are the options of ``spikelore run``."""

    run_dir: Path | None = None
    name: str = ""
    project: str = ""
    budget: float | None = None
    watch: bool = True
    alerts: bool = False
    lang: str | None = None


def record_job(command: Sequence[str], options: Options) -> int:
    """Run a job under probes and return its exit code.

    Raises:
        LaunchError: the command cannot be started.
    """
    from ..probes.launch import Launch

    language.use(language.choose(options.lang))
    job = Launch(command, options.run_dir, name=options.name, project=options.project, budget=options.budget)
    run = job.start()
    if not options.watch:
        return job.wait()
    watch = Watch(run, Alerts(run, shown=options.alerts or sys.stderr.isatty()))
    watch.start()
    code = job.wait()
    watch.finish()
    return code


class Alerts:
    """Lines on stderr and messages to the receivers of the settings; the job's own output stays as it is."""

    def __init__(self, run: RunDirectory, shown: bool) -> None:
        self.run = run
        self.shown = shown
        self.settings = settings.load()
        self._told = False

    def alarm(self, alarm: Alarm) -> None:
        """Say where the loss jumped, once certain, and what moves before it does."""
        if alarm.level == "withdrawn":
            self._ended(tr("alarm withdrawn: {what}", what=alarm.reason))
            return
        if alarm.level != "alarm":
            if alarm.series != "loss":
                self.say(tr("early warning: {what}", what=alarm.reason))
            return
        text = self._what(alarm)
        self.say(text)
        if rise(alarm) >= self.settings.notify_from:
            self._told = True
            self._send(text)

    def _what(self, alarm: Alarm) -> str:
        place = tr("step {n}", n=f"{alarm.step:,}")
        if alarm.epoch is not None:
            place += f", {tr('epoch {n}', n=int(alarm.epoch) + 1)}"
        if alarm.batch is not None:
            place += f", {tr('batch {n}', n=f'{alarm.batch:,}')}"
        change = f"{number(alarm.before, 3)} → {number(alarm.after, 3)}"
        return tr("loss spike at {place}: {change}", place=place, change=change)

    def _send(self, text: str) -> None:
        notifying.send_in_background(self.settings.notify, f"spikelore: {named(self.run)}", text)

    def ending(self, watcher: Watcher) -> None:
        """Say what it was, if there was a spike."""
        diagnosis = watcher.diagnosis
        if diagnosis is None or diagnosis.verdict != "spike" or not diagnosis.causes:
            return
        from .wording import cause_name

        cause = diagnosis.causes[0]
        likely = f"{cause_name(cause)} ({percent(cause.certainty)})"
        self._ended(tr("likely cause: {cause}; see spikelore triage {run}", cause=likely, run=self.run.path))

    def _ended(self, text: str) -> None:
        """Say what an alarm turned out to be, to everyone who was told of it."""
        self.say(text)
        if self._told:
            self._send(text)

    def say(self, text: str) -> None:
        """Write one line."""
        if self.shown:
            # A progress bar of the job may stand on the line.
            clear = "\r\x1b[K" if sys.stderr.isatty() else ""
            print(f"{clear}spikelore: {text}", file=sys.stderr, flush=True)


def rise(alarm: Alarm) -> float:
    """Return how many times its level before the loss is; infinite where that is no number."""
    before, after = alarm.before, alarm.after
    if not isinstance(before, float | int) or not isinstance(after, float | int) or before <= 0:
        return math.inf
    return after / before


class Watch:
    """The watcher of a run, prepared in a thread so that the job never waits for it."""

    def __init__(self, run: RunDirectory, alerts: Alerts) -> None:
        self._run = run
        self._alerts = alerts
        self._watcher: Watcher | None = None
        self._library: CaseLibrary | None = None
        self._thread = threading.Thread(target=self._prepare, name="spikelore-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def _prepare(self) -> None:
        try:
            # The job comes first: importing the library must not take a core from it.
            os.nice(5)
            from ..casebase import Watcher

            self._library = _library(self._alerts)
            watcher = Watcher(self._run, self._library, on_alarm=self._alerts.alarm, lang=language.current())
            self._watcher = watcher.start()
        except Exception as error:  # noqa: BLE001 - watching must never end the job's launcher
            from .errors import sentence

            self._alerts.say(tr("this run is recorded but not watched: {why}", why=sentence(error)))

    def finish(self) -> None:
        """Wait for the last diagnosis and say what it was."""
        self._thread.join(FINISH_SECONDS)
        if self._watcher is not None:
            self._watcher.finish(FINISH_SECONDS)
            self._alerts.ending(self._watcher)
        if self._library is not None:
            self._library.close()


def _library(alerts: Alerts) -> CaseLibrary | None:
    from ..casebase import CaseLibrary
    from .errors import sentence
    from .library import prepare

    try:
        return CaseLibrary.open(prepare())
    except Exception as error:  # noqa: BLE001 - a database that is away costs the advice, not the recording
        alerts.say(tr("the case library could not be opened: {why}", why=sentence(error)))
        return None
