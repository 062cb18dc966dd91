"""Cases as lines of a terminal, each id whole so that it can be copied."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from ..casebase.values import OUTCOMES, Brief, Hit
from .language import tr
from .numbers import number, when
from .wording import case_title

_BOLD, _DIM, _PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def print_case(case: Brief) -> None:
    """Print a case in two lines."""
    _print(_heading(case))


def print_hit(hit: Hit) -> None:
    """Print what a search found: the case, why it was found, what was tried."""
    _print([*_heading(hit.case), *_reasons(hit)])


def _print(lines: list[str]) -> None:
    print("\n    ".join(lines), end="\n\n")


def _heading(case: Brief) -> list[str]:
    parts = [_styled(case.id, _BOLD), case.cause or "?", tr(case.state)]
    if case.train_before is not None or case.train_after is not None:
        parts.append(f"{number(case.train_before, 3)} → {number(case.train_after, 3)}")
    # When a public case was written down says nothing of when it happened.
    if case.source != "starter":
        parts.append(_styled(when(case.created, time.time()), _DIM))
    return ["  ".join(parts), case_title(case)]


def _reasons(hit: Hit) -> Iterator[str]:
    snippet = hit.snippet
    for start, end in reversed(hit.marks):
        snippet = f"{snippet[:start]}{_styled(snippet[start:end], _BOLD)}{snippet[end:]}"
    if snippet:
        yield snippet
    for outcome in OUTCOMES:
        tried = dict.fromkeys(fix.fix or fix.text for fix in hit.fixes if fix.outcome == outcome)
        if tried:
            yield f"{tr(outcome)}: {', '.join(tried)}"
    if hit.case.reference:
        yield _styled(hit.case.reference, _DIM)


def _styled(text: str, style: str) -> str:
    return f"{style}{text}{_PLAIN}" if sys.stdout.isatty() else text
