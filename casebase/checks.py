"""What a case must be, beyond its types."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import CaseError
from .values import FAMILIES, OUTCOMES, FixTried


def check_cause(cause: str) -> None:
    """Demand a cause id.

    Raises:
        CaseError: it is not of a known family.
    """
    family, dot, name = cause.partition(".")
    if not dot or not name or family not in (*FAMILIES, "pattern"):
        raise CaseError(
            f"cause {cause!r}: not a cause id; valid: FAMILY.NAME with a family of {', '.join(FAMILIES)}"
        )


def check_fixes(fixes: Sequence[FixTried]) -> None:
    """Demand attempts that say what was tried and a known outcome.

    Raises:
        CaseError: one does not.
    """
    for fix in fixes:
        if fix.outcome not in OUTCOMES:
            raise CaseError(f"fix {fix.fix!r}: outcome {fix.outcome!r} is none; valid: {', '.join(OUTCOMES)}")
        if not (fix.fix or fix.text):
            raise CaseError("fix: says neither an id nor in words what was tried; valid: fix.NAME, or a text")
