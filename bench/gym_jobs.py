"""The training jobs of ``bench/gym``: their index, a run of each under probes, and what came of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import yaml
from spikelore.probes.evidence import RunDirectory
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.rules.detector import Finding
from spikelore.rules.diagnosing import conclude, facts_of, find
from spikelore.rules.diagnosis import Diagnosis
from spikelore.rules.facts.registry import FactSet
from spikelore.rules.rulebase import shared_store

GYM = Path(__file__).parent / "gym"
LIMIT = 600.0
"""Seconds that a job may run."""
VISIBLE_OVER = 50
"""Steps before the fault that its first loss must stand above to be called visible."""


class Job(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of an index: a script and what is wrong with it."""

    id: str
    script: str
    args: list[str] = []
    cause: str | None = None
    """None for a healthy job and for one whose answer is a pattern alone."""
    accept: list[str] = []
    """Causes that are as right as a root: another link of the same chain."""
    pattern: str | None = None
    fault_step: int | None = None
    """First optimizer step, from 0, whose loss can show the fault; None where no single step can."""
    tuned: bool = False
    note: str = ""
    launcher: list[str] = []
    """Command before the script in place of this Python."""

    @property
    def faulty(self) -> bool:
        """Whether there is a cause to be found."""
        return self.cause is not None

    def command(self) -> list[str]:
        """Return the command as its user would type it."""
        return [*(self.launcher or [sys.executable]), str(GYM / self.script), *self.args]


@dataclass(frozen=True)
class Result:
    """A job's run and its diagnosis.

    Attributes:
        exit: exit code of the job; 124 when it was stopped for time.
        alarm: step of the first alarm while it ran, None without one.
        visible: the fault shows in the loss of its first step or the next: above the fifty before.
    """

    job: Job
    diagnosis: Diagnosis
    facts: FactSet
    finding: Finding
    exit: int
    seconds: float
    alarm: int | None
    visible: bool

    @property
    def roots(self) -> list[str]:
        """Root causes named, best first, without ``cause.``."""
        return [cause.id for cause in self.diagnosis.causes if cause.role == "root"]

    @property
    def certainty(self) -> float:
        """Certainty of the first root cause; 0 where none is named."""
        return next((c.certainty for c in self.diagnosis.causes if c.role == "root"), 0.0)

    def right(self, among: int = 1) -> bool:
        """Whether the job's cause, or one that is as right, is among the first few roots."""
        if not self.job.faulty:
            return self.quiet
        if self.job.pattern and self.diagnosis.pattern == self.job.pattern:
            return True
        return bool({self.job.cause, *self.job.accept} & set(self.named[:among]))

    @property
    def named(self) -> list[str]:
        """Answers in order: root causes, then contributing ones where there is no root."""
        contributing = [cause.id for cause in self.diagnosis.causes if cause.role != "root"]
        return self.roots or contributing

    @property
    def quiet(self) -> bool:
        """Whether nothing is wrong by this diagnosis: no spike, and no root cause but a plan."""
        causes = shared_store().current().causes
        return self.diagnosis.verdict != "spike" and all(causes[root].benign for root in self.roots)

    @property
    def step_error(self) -> int | None:
        """Steps from the fault to the onset found; None where either is unknown."""
        spike = self.diagnosis.spike
        if self.job.fault_step is None or spike is None or spike.step is None:
            return None
        return spike.step - self.job.fault_step


def jobs(pattern: str = "") -> list[Job]:
    """Return the jobs of all indexes whose id holds the text.

    Raises:
        ValueError: an entry is not as it must be, or two share an id.
    """
    found: dict[str, Job] = {}
    for path in sorted(GYM.glob("index_*.yaml")):
        for entry in yaml.safe_load(path.read_text()):
            try:
                job = msgspec.convert(entry, Job)
            except msgspec.ValidationError as error:
                raise ValueError(f"{path}: {entry.get('id')}: {error}") from error
            if job.id in found:
                raise ValueError(f"{path}: {job.id}: this id is taken")
            if not (GYM / job.script).is_file():
                raise ValueError(f"{path}: {job.id}: there is no {GYM / job.script}")
            found[job.id] = job
    return [job for job in found.values() if pattern in job.id]


def run(job: Job, runs: Path, *, again: bool = False) -> Result:
    """Run a job under ``spikelore run`` and diagnose it; a finished run in the folder is taken as it is."""
    folder = _folder(job, runs)
    if again or not (folder / "exit").is_file():
        _train(job, folder)
    code, seconds = (folder / "exit").read_text().split()
    return _diagnose(job, folder, int(code), float(seconds))


def evidence_of(job: Job, runs: Path) -> RunEvidence:
    """Return the evidence of a job that has run."""
    return RunEvidence.load(_folder(job, runs) / "run")


def _folder(job: Job, runs: Path) -> Path:
    return runs / job.id.replace("/", "__")


def _diagnose(job: Job, folder: Path, code: int, seconds: float) -> Result:
    directory = RunDirectory.open(folder / "run")
    evidence = RunEvidence.load(directory)
    finding = find(evidence)
    facts = facts_of(evidence, finding)
    alarms = [alarm.step for alarm in directory.alarms() if alarm.level == "alarm"]
    diagnosis = conclude(facts, finding, run=job.id)
    first = min(alarms, default=None)
    return Result(job, diagnosis, facts, finding, code, seconds, first, _visible(job, evidence))


def _visible(job: Job, evidence: RunEvidence) -> bool:
    if job.fault_step is None:
        return False
    loss, at = evidence.primary.series("loss"), job.fault_step
    before, after = loss.between(at - VISIBLE_OVER, at - 1).value, loss.between(at, at + 1).value
    if not len(before) or not len(after):
        return False
    return bool(not np.isfinite(after).all() or after.max() > before.max())


def _train(job: Job, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    own = {
        "SPIKELORE_HOME": str(folder / "home"),
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "spikelore.tui.cli", "run", "--run-dir", str(folder / "run"), "--"]
    started = time.monotonic()
    with (folder / "output.txt").open("wb") as output:
        try:
            code = subprocess.run(
                command + job.command(),
                cwd=work,
                env=os.environ | own,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=LIMIT,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = 124
    (folder / "exit").write_text(f"{code} {time.monotonic() - started:.1f}")
    shutil.rmtree(work, ignore_errors=True)
