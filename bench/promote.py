"""Sets the status of the shipped rules by what the gym proved of them.

    python bench/promote.py [--check]

A rule is ``stable`` with the jobs under ``recorded`` when ``gym/recorded.json``, which
``bench/accuracy.py --record`` writes, names at least one job for it whose fault it was not tuned on; else it
is in ``test``. A draft stays one. ``--check`` changes nothing and fails where a rule would change.
"""

from __future__ import annotations

import json
import re
import sys

from gym_jobs import jobs
from recording import PROVEN
from spikelore.rules.rulebase import LIBRARY

MOST_NAMED = 8
"""Jobs that a rule names, those it was not tuned on first."""
_STATUS = re.compile(r"^status: (\w+)\n", re.MULTILINE)
_RECORDED = re.compile(r"^recorded:(?:.*)\n(?:  .*\n)*", re.MULTILINE)


def main() -> int:
    proven = json.loads(PROVEN.read_text(encoding="utf-8"))
    untuned = {job.id for job in jobs() if not job.tuned}
    changed = 0
    for path in sorted((LIBRARY / "rules").glob("*.yaml")):
        before = path.read_text(encoding="utf-8")
        after = settled(before, proven.get(path.stem, []), untuned)
        if after != before:
            changed += 1
            print(path.stem)
            if "--check" not in sys.argv:
                path.write_text(after, encoding="utf-8")
    print(f"{changed} rules changed")
    return 1 if changed and "--check" in sys.argv else 0


def settled(text: str, seen: list[str], untuned: set[str]) -> str:
    """Return a rule's file with the status that the jobs in which it was right give it."""
    text = _RECORDED.sub("", text)
    status = _STATUS.search(text)
    if status is None or status[1] == "draft":
        return text
    if untuned.isdisjoint(seen):
        return _STATUS.sub("status: test\n", text, count=1)
    named = sorted(seen, key=lambda job: (job not in untuned, job))[:MOST_NAMED]
    lines = "".join(f"  - {job}\n" for job in named)
    return _STATUS.sub("status: stable\n", text, count=1).replace(
        "tests:\n", f"recorded:\n{lines}tests:\n", 1
    )


if __name__ == "__main__":
    sys.exit(main())
