"""Damaged rule files: none may end anything but itself.

    python bench/rule_fuzz.py [FILES] [SEED]

Each file stands in a team directory beside a sound rule. It must be refused with its line, or be a rule
that compiles, is evaluated and explained; the sound rule must stay in force. The work is done in other
processes, so that a crash of the native engine is counted as well.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "rules"))

from mutations import Damaged, damaged
from spikelore.probes.evidence import RunManifest, Step
from spikelore.probes.evidence.reader import RankEvidence, RunEvidence
from spikelore.rules.cases import run_cases
from spikelore.rules.diagnosing import conclude, facts_of, find
from spikelore.rules.rulebase import LIBRARY, RuleBase, Source
from spikelore.rules.rulebase.loading import FileCache

_CHUNK = 500
GOOD = """id: good
title: Good
status: draft
cause: model.exploding-gradients
certainty: 0.5
summary: s
why: w
when: [{fact: grad.norm_ratio, ge: 2}]
"""


def main(files: int = 10_000, seed: int = 1) -> int:
    started, total = time.perf_counter(), Counter[str]()
    for first in range(0, files, _CHUNK):
        count = min(_CHUNK, files - first)
        command = [sys.executable, __file__, "--chunk", str(count), f"{seed * 1_000_003 + first}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if done.returncode != 0:
            total["crashed"] += 1
            print(f"process ended with {done.returncode}: {' '.join(command)}", done.stderr[-2000:], sep="\n")
            continue
        for line in done.stdout.splitlines():
            name, _, number = line.rpartition(" ")
            if number.isdigit():
                total[name] += int(number)
            else:
                print(line)
    seconds = time.perf_counter() - started
    print(f"{files:,} files, {seconds:.0f} s: " + ", ".join(f"{total[key]:,} {key}" for key in sorted(total)))
    return 1 if total["crashed"] else 0


def chunk(count: int, seed: int) -> None:
    """Try some files and print how many ended how."""
    counts, cache, run = Counter[str](), FileCache(), _run()
    finding = find(run)
    facts = facts_of(run, finding)
    for number in range(seed, seed + count):
        with TemporaryDirectory() as name:
            try:
                base = _load(Path(name), damaged(random.Random(number)), cache)
                for lang in ("en", "zh"):
                    conclude(facts, finding, base, lang)
                mine = [rule for rule in base.rules if base.is_team(rule) and rule != "good"]
                for rule in mine:
                    list(run_cases(base, rule))
                counts["rules taken" if mine else "others taken or refused"] += 1
            except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
                counts["crashed"] += 1
                print(f"seed {number}:", traceback.format_exc(limit=-6), sep="\n")
    for outcome, times in counts.items():
        print(outcome, times)


def _load(folder: Path, file: Damaged, cache: FileCache) -> RuleBase:
    """Load a damaged file beside a sound one, which must be in force, as must the shipped ones."""
    path = file.write(folder)
    (folder / "good.yaml").write_text(GOOD)
    base = RuleBase.load(sources=[Source(LIBRARY, team=False), Source(folder)], cache=cache)
    if "good" not in base.rules:
        raise AssertionError("the sound rule beside it is gone")
    # YAML and Python both take U+0085 and U+2028 for the end of a line.
    lines = len(file.data.decode(errors="replace").splitlines()) + 1
    for problem in base.problems:
        if problem.file == str(path) and not 0 < (problem.line or 1) <= lines:
            raise AssertionError(f"a problem with a wrong place: {problem!r}")
    return base


def _run() -> RunEvidence:
    values = [2 - n / 100 for n in range(100)] + [9.0] * 40
    steps = [
        Step(n, v={"loss": value, "grad.norm": value, "lr": 0.1 * (1 + (value > 2))})
        for n, value in enumerate(values)
    ]
    return RunEvidence.in_memory(RunManifest("x", 0.0, state="finished"), [RankEvidence(0, steps=steps)])


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--chunk"]:
        chunk(int(arguments[1]), int(arguments[2]))
    else:
        sys.exit(main(*map(int, arguments)))
