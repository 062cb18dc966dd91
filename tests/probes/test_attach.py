"""Probes get into a process that runs already, and out again without a trace."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from spikelore.probes.attach import AttachError, attach, detach, processes, ranks_of
from spikelore.probes.evidence.reader import RunEvidence

from .jobs import environment

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the injection is tried on x86-64 Linux"
)

TRAIN = """
import gc, os, sys, threading, time
import torch
from torch import nn
torch.set_num_threads(1)
torch.manual_seed(0)

class Trainer:
    def __init__(self):
        self.model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-3)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 10)

    def fit(self, stop):
        data = torch.utils.data.TensorDataset(torch.randn(64, 6), torch.arange(64) % 3)
        loader = torch.utils.data.DataLoader(data, batch_size=8)
        criterion = nn.CrossEntropyLoss()
        step = 0
        for epoch in range(100_000):
            for x, y in loader:
                if os.path.exists(stop):
                    return step
                self.optimizer.zero_grad()
                loss = criterion(self.model(x), y)
                loss.backward()
                self.optimizer.step()
                step += 1
                print("loss", repr(loss.item()), flush=True)
                time.sleep(0.004)

def left():
    from torch.nn.modules import module
    from torch.optim import optimizer
    hooks = [*module._global_forward_hooks, *module._global_forward_pre_hooks]
    hooks += [*optimizer._global_optimizer_pre_hooks, *optimizer._global_optimizer_post_hooks]
    ours = [type(o).__name__ for o in gc.get_objects() if str(type(o).__module__).startswith("spikelore")]
    ours = [name for name in ours if name not in ("Field",)]
    threads = [t.name for t in threading.enumerate() if "spikelore" in t.name]
    patched = [f.__name__ for f in (torch.save, torch.load, torch.autograd.backward, torch.manual_seed)
               if hasattr(f, "__original_fn")]
    finders = [type(f).__module__ for f in sys.meta_path if "spikelore" in type(f).__module__]
    names = [n for n in vars(sys.modules["__main__"]) if n.startswith("_") and not n.startswith("__")]
    return hooks, ours, threads, patched, finders, names, sys.excepthook is sys.__excepthook__

print("steps", Trainer().fit(sys.argv[1]))
gc.collect()
print("left", left())
"""


class Job:
    def __init__(self, folder: Path, *, command: list[str] | None = None, **more: str) -> None:
        self.stop = folder / "stop"
        path = folder / "train.py"
        path.write_text(TRAIN)
        self.output = folder / "out"
        with self.output.open("wb") as out:
            self.process = subprocess.Popen(
                command or [sys.executable, str(path), str(self.stop)],
                stdout=out,
                stderr=subprocess.STDOUT,
                env=environment(folder, **more),
            )
        self.pid = self.process.pid

    def reaches(self, lines: int) -> None:
        deadline = time.monotonic() + 60
        while self.output.read_bytes().count(b"\n") < lines:
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def more(self, lines: int) -> None:
        self.reaches(self.output.read_bytes().count(b"\n") + lines)

    def ends(self) -> str:
        self.stop.touch()
        assert self.process.wait(30) == 0, self.output.read_text()
        return self.output.read_text()


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))
    started = Job(tmp_path)
    yield started
    started.process.kill()
    started.process.wait()


def attached(job: Job, run: Path, mechanism: str | None = None) -> None:
    try:
        attach(job.pid, run, mechanism=mechanism)
    except AttachError as error:
        if "the kernel forbids" in error.reason:
            pytest.skip(error.reason)
        raise


def test_attach_records_what_the_job_prints_and_detach_leaves_nothing(job: Job, tmp_path: Path) -> None:
    """Losses, epoch, model and scheduler are seen; afterwards no hook, thread, object or name is left."""
    job.reaches(30)
    attached(job, tmp_path / "run")
    job.more(40)
    assert detach(job.pid) == [tmp_path / "run"]
    job.more(10)
    attached(job, tmp_path / "again")
    job.more(20)
    detach(job.pid)
    job.more(5)
    printed = [line for line in job.ends().splitlines() if line.startswith("loss")]
    output = job.output.read_text()
    assert output.splitlines()[-1] == "left ([], [], [], [], [], [], True)"
    evidence = RunEvidence.load(tmp_path / "run")
    losses = [repr(value) for value in evidence.primary.series("loss").value.tolist()]
    assert len(losses) >= 40
    text = "\n".join(line.split()[1] for line in printed)
    assert "\n".join(losses) in text
    found = evidence.primary.events_named("attached")[0].data
    assert (found["models"], found["optimizers"], found["schedulers"]) == (
        ["Sequential"],
        ["Adam"],
        ["StepLR"],
    )
    assert evidence.primary.events_named("epoch.begin")[0].data["epoch"] >= 3
    assert evidence.primary.events_named("scheduler")[0].data["class"] == "StepLR"
    assert evidence.primary.events_named("probe.disabled") == []
    assert evidence.manifest.state == "finished"
    assert len(RunEvidence.load(tmp_path / "again").primary.series("loss")) >= 15


def test_a_job_that_was_attached_to_ends_with_the_same_weights(job: Job, tmp_path: Path) -> None:
    """Loss by loss the job prints what it prints when left alone."""
    job.reaches(20)
    attached(job, tmp_path / "run")
    job.more(30)
    detach(job.pid)
    job.more(10)
    seen = [line for line in job.ends().splitlines() if line.startswith("loss")]
    (tmp_path / "alone").mkdir()
    alone = Job(tmp_path / "alone")
    alone.reaches(len(seen))
    expected = alone.ends().splitlines()[: len(seen)]
    assert seen == expected


def test_a_second_attach_is_refused_by_name(job: Job, tmp_path: Path) -> None:
    """The message tells where the evidence is already going, and detaching twice is refused too."""
    job.reaches(5)
    attached(job, tmp_path / "run")
    with pytest.raises(AttachError, match=r"under probes already, and its run is .*run"):
        attach(job.pid, tmp_path / "other")
    detach(job.pid)
    with pytest.raises(AttachError, match="it is not under probes"):
        detach(job.pid)


def test_gdb_is_a_way_in_too(job: Job, tmp_path: Path) -> None:
    """The fallback makes the same two calls."""
    job.reaches(5)
    try:
        attached(job, tmp_path / "run", mechanism="gdb")
    except AttachError as error:
        if "gdb is not installed" in error.reason:
            pytest.skip(error.reason)
        raise
    job.more(20)
    detach(job.pid)
    assert len(RunEvidence.load(tmp_path / "run").primary.series("loss")) >= 10


def test_a_process_that_offers_a_socket_is_attached_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started with SPIKELORE_LISTEN and the boot folder on its path, it needs no ptrace."""
    from spikelore.probes.launch import BOOT_FOLDER

    monkeypatch.setenv("SPIKELORE_HOME", str(tmp_path / "home"))
    runtime = tmp_path / "rt"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    job = Job(tmp_path, SPIKELORE_LISTEN="1", PYTHONPATH=str(BOOT_FOLDER), XDG_RUNTIME_DIR=str(runtime))
    try:
        job.reaches(10)
        found = attach(job.pid, tmp_path / "run")
        assert found.mechanism == {job.pid: "socket"}
        job.more(20)
        detach(job.pid)
        job.ends()
        assert list(runtime.iterdir()) == []
        assert len(RunEvidence.load(tmp_path / "run").primary.series("loss")) >= 10
    finally:
        job.process.kill()


def test_training_processes_are_listed(job: Job) -> None:
    """The job is in the list; this process's helpers and a process without torch are not."""
    job.reaches(3)
    listed = {process.pid: process for process in processes()}
    assert job.pid in listed
    assert listed[job.pid].run is None
    assert str(job.stop) in listed[job.pid].command


def test_a_shell_stands_for_the_job_below_it(tmp_path: Path) -> None:
    """Naming the wrapper finds the process that trains."""
    stop = tmp_path / "stop"
    path = tmp_path / "train.py"
    command = ["sh", "-c", f"{sys.executable} {path} {stop}; true"]
    job = Job(tmp_path, command=command)
    try:
        job.reaches(3)
        assert ranks_of(job.pid) != [job.pid]
        assert ranks_of(ranks_of(job.pid)[0]) == ranks_of(job.pid)
    finally:
        job.ends()


def test_refusals_name_the_reason_and_the_remedy(tmp_path: Path) -> None:
    """No such process, no Python, this process, an opt-out by environment: each says what to do."""
    with pytest.raises(AttachError, match=r"no such process; see: spikelore ps"):
        attach(2**22 - 3, tmp_path / "a")
    with pytest.raises(AttachError, match="this very process"):
        attach(os.getpid(), tmp_path / "b")
    sleeper = subprocess.Popen(["sleep", "30"])
    closed = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(30)"],
        env={**os.environ, "PYTHON_DISABLE_REMOTE_DEBUG": "1"},
    )
    try:
        time.sleep(0.3)
        with pytest.raises(AttachError, match="is not a Python interpreter"):
            attach(sleeper.pid, tmp_path / "c")
        with pytest.raises(AttachError, match="PYTHON_DISABLE_REMOTE_DEBUG"):
            attach(closed.pid, tmp_path / "d")
    finally:
        sleeper.kill()
        closed.kill()
    assert list(tmp_path.iterdir()) == []


def test_a_process_without_torch_is_refused(tmp_path: Path) -> None:
    """A Python process that has not imported torch says so."""
    idle = subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(0.01)"])
    try:
        time.sleep(0.5)
        with pytest.raises(AttachError, match=r"it has not imported torch|the kernel forbids"):
            attach(idle.pid, tmp_path / "run")
    finally:
        idle.kill()


def test_a_sleeping_main_thread_is_reported_and_not_surprised_later(tmp_path: Path) -> None:
    """When the main thread runs no Python code the attempt times out, and a late payload does nothing."""
    code = "import signal, time, sys\nsignal.signal(signal.SIGUSR1, lambda *_: None)\n"
    code += "signal.pause()\ntime.sleep(0.3)\nprint([m for m in sys.modules if 'spikelore' in m])\n"
    idle = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE)
    try:
        time.sleep(0.5)
        with pytest.raises(AttachError, match=r"ran no Python code for 1 s|the kernel forbids"):
            attach(idle.pid, tmp_path / "run", timeout=1.0)
        idle.send_signal(signal.SIGUSR1)
        out, _ = idle.communicate(timeout=10)
        assert out == b"[]\n"
    finally:
        idle.kill()
