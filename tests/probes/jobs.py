"""Starts real training scripts, with probes and without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spikelore.probes.evidence import RunDirectory
from spikelore.probes.evidence.reader import RunEvidence

SCRIPTS = Path(__file__).parent / "scripts"

_LAUNCH = """
import sys
from spikelore.probes.launch import launch
tell = lambda run, pid: print(pid, file=sys.stderr, flush=True)
sys.exit(launch(sys.argv[3:], sys.argv[2], on_start=tell if sys.argv[1] == "tell" else None))
"""


def launcher(run: Path, command: Sequence[str], tell: bool = False) -> list[str]:
    """Return a command that runs another one under probes; ``tell``: the job's pid goes to stderr."""
    return [sys.executable, "-c", _LAUNCH, "tell" if tell else "", str(run), *command]


@dataclass
class Job:
    """What a job did.

    Attributes:
        losses: numbers that it printed after ``loss``; ``validation`` those after ``val``.
    """

    code: int
    stdout: str
    stderr: str
    run: Path

    @property
    def losses(self) -> list[float]:
        return self._printed("loss")

    @property
    def validation(self) -> list[float]:
        return self._printed("val")

    def _printed(self, word: str) -> list[float]:
        words = [line.split() for line in self.stdout.splitlines()]
        return [float(line[1]) for line in words if len(line) == 2 and line[0] == word]

    @property
    def evidence(self) -> RunEvidence:
        return RunEvidence.load(RunDirectory.open(self.run))

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in (self.run / "evidence").iterdir())


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    """Variables of a job: no probes of an outer run, a home of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SPIKELORE_")}
    return {**kept, "SPIKELORE_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1", **more}


def plain(tmp_path: Path, command: Sequence[str], **more: str) -> Job:
    """Run a command without probes."""
    done = subprocess.run(
        [*command],
        capture_output=True,
        text=True,
        env=environment(tmp_path, **more),
        check=False,
        cwd=tmp_path,
    )
    return Job(done.returncode, done.stdout, done.stderr, tmp_path / "none")


def probed(tmp_path: Path, command: Sequence[str], **more: str) -> Job:
    """Run a command under probes, in a process of its own as a user would."""
    run = tmp_path / "run"
    done = plain(tmp_path, launcher(run, command), **more)
    return Job(done.code, done.stdout, done.stderr, run)


def script(name: str) -> list[str]:
    """Return the command of one of the scripts here."""
    return [sys.executable, str(SCRIPTS / f"{name}.py")]


def written(tmp_path: Path, text: str) -> list[str]:
    """Write a script and return its command."""
    path = tmp_path / "train.py"
    path.write_text(text, encoding="utf-8")
    return [sys.executable, str(path)]
