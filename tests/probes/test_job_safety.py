"""Whatever happens to probes or to the job, the other one is not taken along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.probes.launch import Launch, LaunchError

from .jobs import environment, launcher, plain, probed, script, written

LOOP = """
import torch, sys, time
torch.set_num_threads(1)
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range({steps}):
    optimizer.zero_grad()
    loss = model(torch.ones(2, 4)).square().mean()
    loss.backward()
    optimizer.step()
    print("loss", repr(loss.item()), flush=True)
    {body}
"""


def loop(steps: int = 5, body: str = "pass") -> str:
    return LOOP.format(steps=steps, body=body)


def test_a_failing_job_keeps_its_exit_code(tmp_path: Path) -> None:
    """sys.exit(7) in the job is 7 for the caller, and the manifest says so."""
    job = probed(tmp_path, written(tmp_path, loop() + "\nsys.exit(7)"))
    assert job.code == 7
    assert (job.evidence.manifest.state, job.evidence.manifest.exit_code) == ("failed", 7)


def test_an_uncaught_exception_is_told_unchanged(tmp_path: Path) -> None:
    """The traceback on stderr has no frame of the product, and the evidence names the exception."""
    command = written(tmp_path, loop() + "\nraise ValueError('bad batch')")
    job = probed(tmp_path, command)
    assert job.code == 1
    assert job.stderr == plain(tmp_path, command).stderr
    assert job.evidence.primary.events_named("run.error")[0].data["message"] == "bad batch"


def test_a_job_ended_by_a_signal_reports_as_a_shell_does(tmp_path: Path) -> None:
    """128 + n for signal n."""
    job = probed(tmp_path, written(tmp_path, loop() + "\nimport os, signal; os.kill(os.getpid(), 9)"))
    assert job.code == 128 + signal.SIGKILL


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """One sentence, and no run directory is left behind."""
    with pytest.raises(LaunchError, match=r"nowhere-to-be-found: no such command"):
        Launch(["nowhere-to-be-found"], tmp_path / "run").start()
    assert not (tmp_path / "run").exists()


def test_a_file_that_cannot_be_executed_is_named(tmp_path: Path) -> None:
    """An executable file without an interpreter line ends in one sentence."""
    path = tmp_path / "job"
    path.write_text("not a program")
    path.chmod(0o755)
    with pytest.raises(LaunchError, match="cannot be started"):
        Launch([str(path)], tmp_path / "run").start()


RAISING = """
from spikelore.probes.sensors.base import Sensor
class Broken(Sensor):
    name = "broken"
    def after_backward(self, step):
        if step.index == 2:
            raise RuntimeError("sensor fault")
        step.v["broken"] = 1
class Slow(Sensor):
    name = "slow"
    def after_update(self, step, optimizer):
        import time
        step.v["slow"] = 1
        if step.index == 1:
            time.sleep(2.2)
"""


def test_a_sensor_that_raises_or_hangs_is_switched_off_alone(tmp_path: Path) -> None:
    """The job ends the same, all other evidence stays whole, and the run says what was switched off."""
    folder = tmp_path / "sensors"
    folder.mkdir()
    (folder / "broken.py").write_text(RAISING)
    job = probed(tmp_path, written(tmp_path, loop(8)), SPIKELORE_SENSORS=str(folder))
    assert (job.code, job.stderr, len(job.losses)) == (0, "", 8)
    rank = job.evidence.primary
    off = {event.data["sensor"]: event.data["error"] for event in rank.events_named("probe.disabled")}
    assert set(off) == {"broken", "slow"}
    assert "sensor fault" in off["broken"]
    assert rank.series("broken").step.tolist() == [0, 1]
    assert rank.series("slow").step.tolist() == [0, 1]
    assert len(rank.series("loss")) == 8
    assert any("broken was switched off" in note for note in job.evidence.manifest.notes)


def test_a_killed_job_loses_at_most_a_second(tmp_path: Path) -> None:
    """After kill -9 every step is on disk that was printed a second before."""
    run = tmp_path / "run"
    with (tmp_path / "out").open("wb") as out:
        command = written(tmp_path, loop(100_000, "time.sleep(0.02)"))
        job = subprocess.Popen(
            launcher(run, command, tell=True),
            stdout=out,
            stderr=subprocess.PIPE,
            env=environment(tmp_path),
        )
        assert job.stderr is not None
        pid = int(job.stderr.readline())
        deadline = time.monotonic() + 60
        while _lines(tmp_path / "out") < 50 and time.monotonic() < deadline:
            time.sleep(0.05)
        early = _lines(tmp_path / "out")
        time.sleep(1.0)
        os.kill(pid, signal.SIGKILL)
        assert job.wait(30) == 128 + signal.SIGKILL
    evidence = RunEvidence.load(run)
    assert len(evidence.primary.series("loss")) >= early >= 50
    assert (evidence.manifest.state, evidence.manifest.exit_code) == ("failed", 137)


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def test_modules_of_the_job_win(tmp_path: Path) -> None:
    """A job's own probes.py, rules.py and sensors.py are what it imports."""
    for name in ("probes", "rules", "sensors", "agent", "tui", "casebase", "recorder", "secrets_"):
        (tmp_path / f"{name}.py").write_text(f"WHOSE = 'the job, {name}'\n")
    code = loop() + "\nimport probes, rules, sensors, agent, recorder\n"
    code += "for m in (probes, rules, sensors, agent, recorder): print(m.WHOSE)\n"
    job = probed(tmp_path, written(tmp_path, code))
    assert job.code == 0, job.stderr
    assert "the job, probes" in job.stdout
    assert len(job.evidence.primary.series("loss")) == 5


def test_signals_reach_the_job(tmp_path: Path) -> None:
    """SIGTERM to the launcher is the job's to handle, and its exit code comes back."""
    code = loop(100_000, "time.sleep(0.01)")
    code = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(23))\n" + code
    job = subprocess.Popen(
        launcher(tmp_path / "run", written(tmp_path, code)),
        stdout=subprocess.PIPE,
        env=environment(tmp_path),
    )
    assert job.stdout is not None
    assert job.stdout.readline().startswith(b"loss")
    job.send_signal(signal.SIGTERM)
    job.communicate(timeout=30)
    assert job.returncode == 23


def test_helper_processes_leave_no_file(tmp_path: Path) -> None:
    """A process that imports torch and never trains writes no evidence, and the run says why."""
    job = probed(tmp_path, written(tmp_path, "import torch\nprint(torch.ones(2).sum().item())"))
    assert (job.code, job.stdout, job.files) == (0, "2.0\n", [])
    assert any("no training step was seen" in note for note in job.evidence.manifest.notes)


FORKING = """
import multiprocessing, os, sys
""" + loop(3) + """
def child():
    for step in range(4):
        optimizer.zero_grad()
        model(torch.ones(2, 4)).square().mean().backward()
        optimizer.step()
process = multiprocessing.get_context("fork").Process(target=child)
process.start(); process.join()
assert process.exitcode == 0
"""  # fmt: skip


def test_a_forked_child_that_trains_writes_a_file_of_its_own(tmp_path: Path) -> None:
    """Parent and child never share a file, and both are whole."""
    job = probed(tmp_path, written(tmp_path, FORKING))
    assert job.code == 0, job.stderr
    assert job.files == ["rank-00000-1.jsonl", "rank-00000.jsonl"]
    assert len(job.evidence.primary.headers) == 2
    assert len(job.evidence.primary.series("loss")) == 7


DISTRIBUTED = """
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
torch.set_num_threads(1)
dist.init_process_group("gloo")
torch.manual_seed(0)
model = DistributedDataParallel(torch.nn.Linear(4, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(6):
    optimizer.zero_grad()
    loss = model(torch.full((2, 4), float(dist.get_rank() + 1))).square().mean()
    loss.backward()
    optimizer.step()
dist.destroy_process_group()
"""


def test_every_rank_of_torchrun_writes_its_own_evidence(tmp_path: Path) -> None:
    """Two ranks, two files; the elastic agent that starts them writes none."""
    path = written(tmp_path, DISTRIBUTED)[1]
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node=2",
        "--master-port=29761",
        path,
    ]
    job = probed(tmp_path, command)
    assert job.code == 0, job.stderr
    assert job.files == ["rank-00000.jsonl", "rank-00001.jsonl"]
    evidence = job.evidence
    assert [len(evidence.ranks[rank].series("loss")) for rank in (0, 1)] == [6, 6]
    assert evidence.manifest.world_size == 2
    norms = [evidence.ranks[rank].series("weight.norm").value.tolist() for rank in (0, 1)]
    assert norms[0] == norms[1]


def test_two_styles_of_launch_trace_once(tmp_path: Path) -> None:
    """A job started through a shell and another interpreter's -m is one run with one file."""
    train = script("accumulation")[1]
    job = probed(tmp_path, ["sh", "-c", f"cd {Path(train).parent} && {sys.executable} -m accumulation"])
    assert job.code == 0, job.stderr
    assert job.files == ["rank-00000.jsonl"]
    rank = job.evidence.primary
    assert set(rank.series("loss.micro").value) == {4.0}
    assert set(rank.series("loss.divisor").value) == {4.0}
