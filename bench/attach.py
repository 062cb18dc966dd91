"""Attaches to real training loops again and again: how often it works, and how little it is felt.

Usage: python bench/attach.py [--times 100] [--python PATH ...]

A fast and a slow loop are each attached to and let go of ``--times`` times. Shown: successes, the time one
thread of the job was stopped (median and largest), the longest step while attaching above the median step,
and whether the final loss equals that of a run that was never attached to.
"""

from __future__ import annotations

import argparse
import math
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from spikelore.probes.attach import AttachError, attach, detach

LOOP = """
import os, sys, time
import torch
torch.set_num_threads(1)
torch.manual_seed(0)
width, steps = int(sys.argv[1]), int(sys.argv[2])
model = torch.nn.Sequential(torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, 4))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
x, y = torch.randn(64, width), torch.arange(64) % 4
criterion = torch.nn.CrossEntropyLoss()
times = []
for step in range(steps):
    began = time.perf_counter()
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    times.append(time.perf_counter() - began)
    if step == 50:
        print("ready", flush=True)
    if os.path.exists(sys.argv[3]):
        break
times = sorted(times[50:])
print(step, repr(loss.item()), times[len(times) // 2], times[-1], flush=True)
"""


def run(python: str, width: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        stop, home = Path(folder) / "stop", Path(folder)
        command = [python, "-c", LOOP, str(width), "100000000", str(stop)]
        job = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert job.stdout is not None
        job.stdout.readline()
        stopped, failures = [], []
        for number in range(times):
            try:
                found = attach(job.pid, home / f"run{number}")
                stopped.append(found.stopped[job.pid] * 1e3)
                time.sleep(0.05)
                detach(job.pid)
            except AttachError as error:
                failures.append(str(error))
        stop.touch()
        steps, loss, median, longest = job.communicate()[0].split()
        alone = subprocess.run(
            [python, "-c", LOOP, str(width), str(int(steps) + 1), str(stop) + "-never"],
            capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
    version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    print(
        f"{version:15} step {float(median) * 1e3:6.2f} ms  {times - len(failures)}/{times} attached; "
        f"stopped {statistics.median(stopped or [math.nan]):.2f} ms median, "
        f"{max(stopped, default=math.nan):.2f} ms most; longest step "
        f"+{(float(longest) - float(median)) * 1e3:.1f} ms "
        f"(alone +{(float(alone[-1]) - float(alone[-2])) * 1e3:.1f}); "
        f"final loss "
        f"{'equal' if alone[-3] == loss else 'DIFFERS'}"
    )
    for failure in failures[:3]:
        print("   ", failure)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--python", nargs="*", default=[sys.executable])
    options = parser.parse_args()
    for python in options.python:
        for width in (32, 2048):
            run(python, width, options.times)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
