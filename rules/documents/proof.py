"""Whether a rule proves itself as far as its status claims.

A draft need not. A rule in test carries a case in which it fires, one in which it does not, one for every
rule that it could be confused with, and a reference. A stable one was seen to be right in a recorded run.
"""

from __future__ import annotations

from collections.abc import Iterator

from .markup import Marked
from .problems import Problem
from .rule import RuleDocument


def unproven(rule: RuleDocument, marked: Marked) -> Iterator[Problem]:
    """Yield what a rule lacks: an error where it claims to be stable without a run, else warnings."""
    if rule.status == "stable" and not rule.recorded:
        yield marked.problem(
            ("status",),
            "stable, but no recorded run is named",
            "valid is a run under recorded, or status test",
        )
    if rule.status == "draft":
        return
    for fires, what in ((True, "in which it fires"), (False, "in which it stays silent")):
        if all(test.fires != fires for test in rule.tests):
            yield _lacks(marked, "tests", f"no test {what}")
    if not rule.references:
        yield _lacks(marked, "references", "no reference")
    alike = {test.like for test in rule.tests}
    for index, name in enumerate(rule.related):
        if name not in alike:
            yield marked.problem(
                ("related", index),
                f"no test tells it from {name}",
                f"valid is a test with like: {name} and fires: false",
                "warning",
            )


def _lacks(marked: Marked, field: str, problem: str) -> Problem:
    return marked.problem((field,), problem, f"needed under {field} from status test on", "warning")
