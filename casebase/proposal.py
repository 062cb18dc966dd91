"""A rule proposed from an incident: the conditions that set it apart from what else is on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..rules.diagnosis import FactValue
from ..rules.rulebase import RuleBase
from ..rules.separating import Separation, separating
from .backtest import records
from .errors import CaseError

if TYPE_CHECKING:
    from .library import CaseLibrary

LEAST_HEALTHY = 3
"""Windows without which nothing can be said of what is healthy."""
_MOST = 20_000
"""Records that are compared."""


class Proposal(NamedTuple):
    """What a rule drawn from an incident would say.

    Attributes:
        cause: confirmed or else predicted cause, empty where there is neither.
        found: conditions, the sharpest first.
        healthy: windows of healthy runs compared with.
        others: incidents of other causes compared with.
    """

    cause: str
    found: list[Separation]
    healthy: int
    others: int


def propose(library: CaseLibrary, incident: str, base: RuleBase) -> Proposal:
    """Return the conditions that hold for an incident and hardly ever in healthy runs.

    Raises:
        CaseError: the incident is unknown or has no facts, or there are too few healthy runs on record.
    """
    case = library.get(incident)
    healthy: list[Mapping[str, FactValue]] = []
    others: list[Mapping[str, FactValue]] = []
    own: Mapping[str, FactValue] = {}
    for record in records(library):
        if record.kind == "healthy":
            healthy.append(record.facts)
        elif record.id == case.id:
            own = record.facts
        elif record.cause and record.cause != case.cause:
            others.append(record.facts)
        if len(healthy) + len(others) >= _MOST:
            break
    if not own:
        raise CaseError(f"{incident}: no facts are on record; valid is an incident of a run that was watched")
    if len(healthy) < LEAST_HEALTHY:
        raise CaseError(
            f"{incident}: there are {len(healthy)} windows of healthy runs to compare with; at least"
            f" {LEAST_HEALTHY} are needed. Watch a healthy job by spikelore run, or name conditions by --when"
        )
    used = {fact for rule in base.compiled for fact in rule.facts}
    return Proposal(case.cause, separating(own, healthy, others, used), len(healthy), len(others))
