"""How often the detector alarms rightly and wrongly, beside the rules of other projects.

Usage: python bench/detector.py [--seeds 200] [--shapes]

Prints three tables: curves of single steps, curves of epochs, and (with --shapes) healthy curves of many
kinds, with the speed on long curves. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from curves import DECAY, EPOCH_AT, EPOCHS, HEALTHY, PERIODS, SHIFT_AT, STEPS, Array, Make, epochs, steps
from rivals import RIVALS
from spikelore.rules.detector import Curve, OnlineDetector, assess

Alarms = Callable[[Array], list[int]]

RARE = 0.01
WITHIN_STEPS = 50
WITHIN_EPOCHS = 2
CLEAN = ("clean 5 %", "clean 15 %", "clean 5 % + rare 4x")


def spikelore(loss: Array, per_epoch: int | None = None) -> list[int]:
    """Return the points at which the online detector alarms."""
    detector = OnlineDetector()
    alarms = []
    for i, value in enumerate(loss.tolist()):
        signal = detector.push(i, value, None if per_epoch is None else i / per_epoch)
        if signal is not None and signal.level == "alarm":
            alarms.append(i)
    return alarms


def share(make: Make, detect: Alarms, seeds: int, first: int, last: int) -> float:
    """Return the percentage of curves with an alarm from ``first`` to ``last``."""
    hits = 0
    for seed in range(seeds):
        alarms = detect(make(np.random.default_rng(seed)))
        hits += any(first <= i <= last for i in alarms)
    return 100 * hits / seeds


def table(
    title: str, columns: dict[str, tuple[Make, int, int]], seeds: int, rows: dict[str, Alarms]
) -> dict[str, float]:
    """Print one table and return our row."""
    print(f"\n{title}\n\n| detector | " + " | ".join(columns) + " |\n|---" + "|---" * len(columns) + "|")
    ours: dict[str, float] = {}
    for name, detect in rows.items():
        figures = {c: share(make, detect, seeds, first, last) for c, (make, first, last) in columns.items()}
        ours = ours or figures
        print(f"| {name} | " + " | ".join(f"{x:.1f}" for x in figures.values()) + " |", flush=True)
    return ours


def step_columns() -> dict[str, tuple[Make, int, int]]:
    end = SHIFT_AT + WITHIN_STEPS
    return {
        CLEAN[0]: (steps(0.05), 0, STEPS),
        CLEAN[1]: (steps(0.15), 0, STEPS),
        CLEAN[2]: (steps(0.05, rare=RARE), 0, STEPS),
        **{f"{f}x at 5 %": (steps(0.05, f), SHIFT_AT, end) for f in (1.5, 2, 3)},
        **{f"{f}x at 15 %": (steps(0.15, f), SHIFT_AT, end) for f in (2, 3)},
    }


def epoch_columns() -> dict[str, tuple[Make, int, int]]:
    end = EPOCH_AT + WITHIN_EPOCHS - 1
    columns: dict[str, tuple[Make, int, int]] = {}
    for shape in ("exponential", "linear", "power"):
        columns[f"{shape}: none"] = (epochs(0.03, shape=shape), 0, EPOCHS)
        for factor in (1.5, 2, 3):
            columns[f"{shape} {factor}x"] = (epochs(0.03, factor, shape), EPOCH_AT, end)
    return columns


def shapes(seeds: int) -> None:
    """Print how healthy curves of many kinds fare online and offline."""
    print("\nHealthy and gradual shapes\n\n| shape | alarmed % | called a spike % | most frequent verdict |")
    print("|---|---|---|---|")
    for name, make in HEALTHY.items():
        alarmed, verdicts = 0, Counter[str]()
        for seed in range(seeds):
            curve = make(np.random.default_rng(1000 + seed))
            alarmed += bool(spikelore(curve, PERIODS.get(name)))
            finding = assess(Curve.of(curve))
            verdicts[finding.pattern or finding.verdict] += 1
        called = 100 * verdicts["spike"] / seeds
        print(
            f"| {name} | {100 * alarmed / seeds:.1f} | {called:.1f} | {verdicts.most_common(1)[0][0]} |",
            flush=True,
        )


def speed() -> None:
    """Print the time that long curves take."""
    print("\n| points | noise | assess, s | push, microseconds a point |\n|---|---|---|---|")
    for count in (100_000, 1_000_000):
        for noise in (0.05, 0.3, 1.0):
            random = np.random.default_rng(0)
            curve = np.interp(np.linspace(0, STEPS, count), np.arange(STEPS), DECAY)
            curve = curve * np.exp(noise * random.standard_normal(count))
            start = time.perf_counter()
            assess(Curve.of(curve))
            offline = time.perf_counter() - start
            start = time.perf_counter()
            spikelore(curve[:50_000])
            online = (time.perf_counter() - start) / 50_000
            print(f"| {count:,} | {100 * noise:.0f} % | {offline:.3f} | {1e6 * online:.1f} |", flush=True)


def missed(ours: dict[str, float], epoch: dict[str, float]) -> list[str]:
    """Return the bars that were missed."""
    wrong = [name for name in CLEAN if ours[name] > 2]
    wrong += [name for name in ("2x at 5 %", "3x at 5 %") if ours[name] < 98]
    wrong += [name for name, x in epoch.items() if "none" in name and x > 2]
    wrong += [name for name, x in epoch.items() if name.endswith((" 2x", " 3x")) and x < 98]
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--shapes", action="store_true", help="also healthy shapes and speed")
    arguments = parser.parse_args()
    title = f"{STEPS} steps, shift at {SHIFT_AT}: % alarmed (clean), % caught within {WITHIN_STEPS} steps"
    ours = table(title, step_columns(), arguments.seeds, {"spikelore": spikelore, **RIVALS})
    title = f"{EPOCHS} epochs, 3 % noise, jump at {EPOCH_AT}: % alarmed (none), % caught by the second"
    rows: dict[str, Alarms] = {"spikelore": lambda loss: spikelore(loss, 1), **RIVALS}
    epoch = table(title, epoch_columns(), arguments.seeds, rows)
    if arguments.shapes:
        shapes(arguments.seeds)
        speed()
    wrong = missed(ours, epoch)
    print("\nMissed: " + ", ".join(wrong) if wrong else "\nEvery bar is met.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
