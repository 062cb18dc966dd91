"""Drills with whole jobs: what befalls the probes leaves the job's output and weights as they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .jobs import Job, environment, launcher, plain, written

TRAIN = """
import ctypes, hashlib, sys, threading, time
import torch
torch.set_num_threads(1)
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range({steps}):
    x = torch.randn(8, 8)
    optimizer.zero_grad()
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
    loss.backward()
    optimizer.step()
    print("loss", repr(loss.item()))
    if step == 100:
        {event}
weights = b"".join(p.detach().numpy().tobytes() for p in model.parameters())
print(hashlib.sha256(weights).hexdigest())
"""

STOP_WRITER = """
        for thread in threading.enumerate():
            if thread.name == "spikelore-writer":
                end = ctypes.py_object(SystemExit)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), end)
                thread.join(10)
                print("alive", thread.is_alive(), file=sys.stderr)
"""


def drilled(tmp_path: Path, run: Path, steps: int, event: str = "pass") -> tuple[Job, Job]:
    """Return the job with probes, writing to ``run``, and the same job without."""
    command = written(tmp_path, TRAIN.format(steps=steps, event=event.strip()))
    alone = plain(tmp_path, command)
    done = subprocess.run(
        launcher(run, command),
        capture_output=True, text=True, env=environment(tmp_path), cwd=tmp_path, check=False,
    )  # fmt: skip
    return Job(done.returncode, done.stdout, done.stderr, run), alone


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 160 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(place)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a file system here")
    yield place
    subprocess.run(["umount", str(place)], check=False)


def test_a_job_on_a_full_disk_ends_the_same_and_the_run_says_what_is_lost(
    tmp_path: Path, small_disk: Path
) -> None:
    job, alone = drilled(tmp_path, small_disk / "run", 1500)
    assert job.code == 0
    # Nothing of the job's own, and no traceback: a line that says what is missing.
    assert all(line.startswith("spikelore: ") for line in job.stderr.splitlines())
    assert job.stdout == alone.stdout
    rank = job.evidence.primary
    assert rank.damaged == 0
    assert 50 < len(rank.series("loss")) < 1500
    (lost, *_) = rank.events_named("evidence.lost")
    assert "No space left" in lost.data["reason"]


def test_a_job_whose_writer_is_lost_ends_the_same_and_keeps_its_evidence(tmp_path: Path) -> None:
    job, alone = drilled(tmp_path, tmp_path / "run", 400, STOP_WRITER)
    assert (job.code, job.stdout) == (0, alone.stdout)
    assert "alive False" in job.stderr
    rank = job.evidence.primary
    assert rank.series("loss").value.tolist() == pytest.approx(job.losses)
    assert rank.damaged == 0


@pytest.mark.parametrize("prefix", [["env", "-i"], []])
def test_a_job_that_cannot_be_reached_runs_and_the_run_says_so(tmp_path: Path, prefix: list[str]) -> None:
    """An emptied environment, and a Python that loads no site."""
    body = "print('ran')" if not prefix else TRAIN.format(steps=3, event="pass")
    python = [sys.executable] if prefix else [sys.executable, "-S"]
    (tmp_path / "train.py").write_text(body, encoding="utf-8")
    run = tmp_path / "run"
    done = subprocess.run(
        launcher(run, [*prefix, *python, str(tmp_path / "train.py")]),
        capture_output=True, text=True, env=environment(tmp_path), cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout
    notes = Job(done.returncode, done.stdout, done.stderr, run).evidence.manifest.notes
    assert any("no training step was seen" in note for note in notes)
