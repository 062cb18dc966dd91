"""Speed and memory of the importers on generated logs.

    python bench/importers.py [--rows 500000] [--big 2G] [--runs 1000] [--folder DIR]

``--big`` also imports one text log of that size and reports the peak memory of the process that did it;
``--runs`` imports a folder of that many runs in parallel.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from spikelore.probes.importers import find_logs, import_all, import_log

Line = Callable[[int, random.Random], str]


def loss(step: int, chance: random.Random) -> float:
    return 2 + 8 / (1 + step / 1e4) + chance.gauss(0, 0.05)


def csv_line(step: int, chance: random.Random) -> str:
    return f"{step},{loss(step, chance):.6f},{1e-4:.3e},{chance.random():.4f}\n"


def json_line(step: int, chance: random.Random) -> str:
    row = {"step": step, "loss": round(loss(step, chance), 6), "lr": 1e-4, "grad_norm": chance.random()}
    return json.dumps(row) + "\n"


def megatron_line(step: int, chance: random.Random) -> str:
    return (
        f" iteration {step:8}/ 9000000 | consumed samples: {step * 64:12} |"
        f" elapsed time per iteration (ms): 7613.1 | learning rate: 6.680E-06 | global batch size:    64 |"
        f" lm loss: {loss(step, chance):.6E} | loss scale: 1.0 | grad norm: {chance.random():.3f} |"
        f" number of skipped iterations:   0 | number of nan iterations:   0 |\n"
    )


def nanogpt_line(step: int, chance: random.Random) -> str:
    return f"2023-03-22 09:30:39 iter {step}: loss {loss(step, chance):.4f}, time 1099.34ms, mfu 15.34%\n"


def console_line(step: int, chance: random.Random) -> str:
    return f"[epoch {step // 1000}] step {step} | loss: {loss(step, chance):.4f} | lr: 1e-4 | 0.5s/it\n"


FORMATS: dict[str, tuple[str, Line]] = {
    "csv": ("step,loss,lr,grad_norm\n", csv_line),
    "jsonl": ("", json_line),
    "megatron": ("", megatron_line),
    "nanogpt": ("", nanogpt_line),
    "console": ("", console_line),
}


def write(path: Path, form: str, rows: int, seed: int = 0) -> Path:
    head, line = FORMATS[form]
    chance = random.Random(seed)
    with path.open("w") as stream:
        stream.write(head)
        stream.writelines(line(step, chance) for step in range(rows))
    return path


def speeds(folder: Path, rows: int) -> None:
    """Print rates by the clock, and by processor time, which other work on the machine hardly changes."""
    print(f"{'format':10} {'points/s':>12} {'points/CPU s':>12} {'values/s':>12} {'MB/s':>6}")
    for form in FORMATS:
        path = write(folder / f"{form}.log", form, rows)
        started, spent = time.perf_counter(), time.process_time()
        result = import_log(path, folder / f"run-{form}")
        seconds, spent = time.perf_counter() - started, time.process_time() - spent
        assert (result.format, result.losses, result.unread) == (form, rows, 0), result
        rate = os.path.getsize(path) / seconds / 1e6
        rates = (result.points / seconds, result.points / spent, result.values / seconds)
        print(f"{form:10} {' '.join(f'{value:12,.0f}' for value in rates)} {rate:6.0f}")
        shutil.rmtree(result.directory)
        path.unlink()


def blocks(size: int) -> Iterator[str]:
    """Yield text of about ``size`` bytes: training lines with bars and prose between them."""
    chance = random.Random(0)
    step = written = 0
    while written < size:
        lines = []
        for _ in range(1000):
            lines.append(megatron_line(step, chance))
            if step % 10 == 0:
                lines.append("\rloading: 100%|##########| 900/900 [00:01<00:00, 800.00 it/s]\n")
            if step % 1000 == 0:
                lines.append(f"saving checkpoint at iteration {step} to /checkpoints/{step}\n")
            step += 1
        block = "".join(lines)
        written += len(block)
        yield block


def big(folder: Path, size: int) -> None:
    path = folder / "big.log"
    with path.open("w") as stream:
        stream.writelines(blocks(size))
    code = (
        "import json, resource, sys, time\n"
        "from spikelore.probes.importers import import_log\n"
        "started = time.perf_counter()\n"
        "result = import_log(sys.argv[1], sys.argv[2])\n"
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(json.dumps([result.points, result.unread, time.perf_counter() - started, peak]))\n"
    )
    command = [sys.executable, "-c", code, path, folder / "run-big"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    points, unread, seconds, peak = json.loads(done.stdout)
    size_read = f"{path.stat().st_size / 1e9:.2f} GB text"
    print(f"{size_read}: {points:,} points, {unread} lines unread, {seconds:.0f} s, peak {peak:.0f} MB")


def many(folder: Path, runs: int) -> None:
    logs = folder / "logs"
    for index in range(runs):
        form = sorted(FORMATS)[index % len(FORMATS)]
        (logs / f"run-{index}").mkdir(parents=True)
        write(logs / f"run-{index}" / "log.txt", form, 1000, index)
    (logs / "bad").mkdir()
    (logs / "bad" / "broken.json").write_text("{")
    (logs / "bad" / "empty.csv").write_text("step,loss\n")
    started = time.perf_counter()
    found = find_logs(logs)
    looked = time.perf_counter() - started
    pairs = [(log.path, folder / "runs" / str(index)) for index, log in enumerate(found.logs)]
    outcomes = import_all(pairs)
    seconds = time.perf_counter() - started
    good = sum(outcome.result is not None for outcome in outcomes)
    print(f"{runs} runs of 1000 points: {good} imported in {seconds:.1f} s, found in {looked:.1f} s of it")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--big", default="", help="size of a text log, such as 200M or 2G")
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="spikelore-bench-") as name:
        folder = Path(name)
        speeds(folder, options.rows)
        if options.big:
            unit = {"M": 1 << 20, "G": 1 << 30}[options.big[-1]]
            big(folder, int(options.big[:-1]) * unit)
        if options.runs:
            many(folder, options.runs)


if __name__ == "__main__":
    main()
