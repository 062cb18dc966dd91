"""Damaged logs over all importers: a run or one clear line, never a traceback, a hang or broken evidence.

    python bench/importers_fuzz.py [--count 20000] [--seed 0] [--slow 5]

The damages are those of the tests; this runs more of them and also watches the time of each.
"""

from __future__ import annotations

import argparse
import collections
import random
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from spikelore.probes.evidence import EvidenceError
from spikelore.probes.importers import import_log

from tests.importers.mutations import mutated, seeds
from tests.importers.test_fuzz import check


def attempt(path: Path, target: Path) -> str:
    """Return what became of a damaged log: ``run``, ``error``, or the defect."""
    try:
        result = import_log(path, target)
        check(result, "fuzz")
    except EvidenceError as error:
        return "error" if "\n" not in str(error) and str(error) else f"unclear error {str(error)!r}"
    except AssertionError as error:
        return f"evidence breaks: {error}"
    except Exception:  # noqa: BLE001 - what else can come is what is looked for
        return traceback.format_exc(limit=-3)
    return "run"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--slow", type=float, default=5.0, help="seconds after which an import counts as hanging"
    )
    options = parser.parse_args()
    chance = random.Random(options.seed)
    originals = seeds()
    counts: collections.Counter[str] = collections.Counter()
    defects = 0
    with tempfile.TemporaryDirectory(prefix="spikelore-fuzz-") as name:
        folder = Path(name)
        for number in range(options.count):
            form = chance.choice(sorted(originals))
            path = folder / "log"
            path.write_bytes(mutated(originals[form], chance))
            started = time.perf_counter()
            became = attempt(path, folder / "run")
            seconds = time.perf_counter() - started
            shutil.rmtree(folder / "run", ignore_errors=True)
            counts[became if became in ("run", "error") else "defect"] += 1
            if became not in ("run", "error") or seconds > options.slow:
                defects += 1
                kept = Path(tempfile.gettempdir()) / f"spikelore-fuzz-{options.seed}-{number}.log"
                shutil.copy(path, kept)
                print(f"{form}, number {number}, {seconds:.1f} s, kept as {kept}: {became}")
    print(f"{options.count} damaged logs: {dict(counts)}, {defects} defects")
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main())
