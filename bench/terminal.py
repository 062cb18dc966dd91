"""How fast the terminal application is: first paint, a run of a million steps, keys under load.

    python bench/terminal.py [--steps 1000000] [--presses 100]

Everything is measured in a pseudo-terminal of 120 x 40, from the start of the process or from the key
press to the byte that shows the effect.
"""

from __future__ import annotations

import argparse
import fcntl
import math
import os
import pty
import random
import select
import signal
import struct
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

from spikelore.probes.evidence import Eval, Header, RunDirectory, RunManifest, Step, encode


class Terminal:
    """The application in a pseudo-terminal."""

    def __init__(self, *args: str, home: Path) -> None:
        self.start = time.perf_counter()
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.environ.update(SPIKELORE_HOME=str(home), TERM="xterm-256color", COLORTERM="truecolor")
            os.execv(sys.executable, [sys.executable, "-m", "spikelore.tui.cli", "triage", *args])
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def await_text(self, text: str, seconds: float = 30.0) -> float:
        """Return the time at which the terminal was sent a text."""
        wanted, seen = text.encode(), b""
        deadline = time.perf_counter() + seconds
        while time.perf_counter() < deadline:
            if select.select([self.descriptor], [], [], 0.05)[0]:
                seen = seen[-4096:] + os.read(self.descriptor, 1 << 16)
                if wanted in seen:
                    return time.perf_counter()
        raise TimeoutError(f"the application never showed {text!r}")

    def press(self, key: str) -> float:
        """Send a key and return when."""
        os.write(self.descriptor, key.encode())
        return time.perf_counter()

    def memory(self) -> float:
        """Return the highest resident size so far, in megabytes."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024

    def close(self) -> None:
        """End the application."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)


def write_run(path: Path, steps: int, state: str = "finished") -> Path:
    """Write a run with a spike near its end and return its evidence file."""
    manifest = RunManifest(
        "bench", time.time(), name="bench", state=state, pid=os.getpid(), ended=time.time()
    )
    run = RunDirectory.create(path, manifest)
    rng = random.Random(0)
    evidence = run.new_evidence_file(0)
    with evidence.open("ab") as stream:
        stream.write(encode(Header(1, "bench")))
        for step in range(steps):
            stream.write(line(rng, step, steps))
            if step % 1000 == 999:
                stream.write(encode(Eval(step, epoch=step / 1000, v={"val.loss": 0.4})))
    return evidence


def line(rng: random.Random, step: int, steps: int) -> bytes:
    """Return one step record."""
    loss = 0.3 + 2 * math.exp(-6 * step / steps) + rng.gauss(0, 0.03) + 3 * (step > 0.9 * steps)
    values = {"loss": loss, "grad.norm": abs(rng.gauss(1, 0.1)), "lr": 1e-3}
    return encode(Step(step, time.time(), epoch=step / 1000, batch=step % 1000, v=dict(values)))


def first_paint(home: Path) -> float:
    """Return seconds from the start of the process to the list of runs."""
    terminal = Terminal(home=home)
    seconds = terminal.await_text("Settings") - terminal.start
    terminal.close()
    return seconds


def open_run(home: Path, path: Path, steps: int) -> tuple[float, float]:
    """Return seconds until the whole run is drawn, and megabytes."""
    terminal = Terminal(str(path), home=home)
    seconds = terminal.await_text(f"{steps - 1:,}") - terminal.start
    time.sleep(1)
    memory = terminal.memory()
    terminal.close()
    return seconds, memory


def keys_under_load(home: Path, path: Path, presses: int) -> list[float]:
    """Return milliseconds from key to effect while a job writes 100 steps a second."""
    evidence = write_run(path, 5000, state="running")
    stop = threading.Event()

    def job() -> None:
        rng = random.Random(1)
        with evidence.open("ab", buffering=0) as stream:
            for step in range(5000, 1_000_000):
                if stop.wait(0.01):
                    return
                stream.write(line(rng, step, 1_000_000))

    thread = threading.Thread(target=job)
    thread.start()
    terminal = Terminal(str(path), home=home)
    terminal.await_text("gradient norm")
    time.sleep(1)
    taken = []
    for index in range(presses):
        start = terminal.press("g")
        taken.append(1000 * (terminal.await_text(("learning rate", "gradient norm")[index % 2]) - start))
        time.sleep(0.05)
    stop.set()
    thread.join()
    terminal.close()
    return sorted(taken)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--presses", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "runs").mkdir()
        paints = sorted(first_paint(home) for _ in range(5))
        row("first paint, median of 5", f"{paints[2]:.2f} s", "0.7 s")
        write_run(home / "big", arguments.steps)
        opened = sorted(open_run(home, home / "big", arguments.steps) for _ in range(3))
        row(f"open {arguments.steps:,} steps, median of 3", f"{opened[1][0]:.2f} s", "1.5 s")
        row(f"memory with {arguments.steps:,} steps", f"{max(one[1] for one in opened):.0f} MB", "300 MB")
        taken = keys_under_load(home, home / "live", arguments.presses)
        row("key to effect at 100 steps/s, median", f"{taken[len(taken) // 2]:.0f} ms", "")
        row("key to effect at 100 steps/s, p95", f"{taken[int(0.95 * len(taken))]:.0f} ms", "50 ms")


def row(what: str, measured: str, bar: str) -> None:
    """Print one figure."""
    print(f"{what:<40}{measured:>10}   {bar and f'at most {bar}'}", flush=True)


if __name__ == "__main__":
    main()
