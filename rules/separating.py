"""What sets an incident apart from healthy runs, as conditions for a new rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .diagnosis import FactValue
from .documents.checking import is_derived
from .engine import Condition
from .facts.registry import specs

MOST_CONDITIONS = 4
_RARE = 0.02
"""Share of healthy windows in which a condition may hold at most."""
_KNOWN = 0.3
"""Share of healthy windows that must know a fact for it to be compared."""
_PER_FAMILY = 2
_GRAIN = 0.05
"""Least spread of healthy windows, as a share of their size: a few windows may agree by chance."""
_APART = 1.0
"""Least distance, in logarithms of the spread of healthy windows, at which a number counts as outside."""


@dataclass(frozen=True)
class Separation:
    """A condition that holds for an incident and hardly ever in healthy runs.

    Attributes:
        value: of the incident.
        healthy: share of the healthy windows that know the fact in which the condition holds.
        others: the same share of incidents of other causes.
        distance: how far the incident lies outside; larger is further.
    """

    condition: Condition
    value: FactValue
    healthy: float
    others: float
    distance: float


def separating(
    facts: Mapping[str, FactValue],
    healthy: Sequence[Mapping[str, FactValue]],
    others: Sequence[Mapping[str, FactValue]],
    used: Iterable[str],
) -> list[Separation]:
    """Return the conditions that set an incident apart, the sharpest first, at most four.

    Args:
        facts: of the incident.
        healthy: facts of windows of healthy runs.
        others: facts of incidents of other causes.
        used: facts that rules are written on. What describes the job rather than its spike, such as the
            number of parameters, is left out of them: it sets any two jobs apart.
    """
    found = []
    for name in sorted(set(used) & facts.keys()):
        if not _tells(name):
            continue
        known = [window[name] for window in healthy if name in window]
        if len(known) < max(1, _KNOWN * len(healthy)):
            continue
        for each, distance in _bounds(name, facts[name], known):
            share = sum(map(each.holds, known)) / len(known)
            if share <= _RARE and distance >= _APART:
                beside = [window[name] for window in others if name in window]
                wrong = sum(map(each.holds, beside)) / len(beside) if beside else 0.0
                found.append(Separation(each, facts[name], share, wrong, distance))
    found.sort(key=lambda s: (-(s.distance * (1 - s.others)), s.condition.fact))
    return _spread(found)


def _tells(name: str) -> bool:
    spec = specs().get(name)
    if is_derived(name) or spec is None or spec.standing:
        return False
    return not name.startswith(("spike.", "loss.")) and not name.endswith(("_before", "_baseline"))


def _spread(found: list[Separation]) -> list[Separation]:
    """Leave out what tells the same, two of a family at most, and what is weak beside the sharpest."""
    kept: list[Separation] = []
    sharpest = max((each.distance for each in found), default=0.0)
    for each in found:
        if each.distance < sharpest / 2:
            continue
        family = each.condition.fact.partition(".")[0]
        if sum(k.condition.fact.partition(".")[0] == family for k in kept) < _PER_FAMILY:
            kept.append(each)
    return kept[:MOST_CONDITIONS]


def _bounds(name: str, value: FactValue, known: Sequence[FactValue]) -> list[tuple[Condition, float]]:
    if isinstance(value, bool | str):
        return [(Condition(name, "eq", value), 3.0)]
    numbers = sorted(float(each) for each in known if not isinstance(each, str))
    if not numbers or math.isnan(value):
        return []
    low, high = numbers[0], numbers[-1]
    wide = numbers[int(0.9 * (len(numbers) - 1))] - numbers[int(0.1 * (len(numbers) - 1))]
    spread = max(wide, _GRAIN * max(abs(low), abs(high)), 1e-3)
    if value > high:
        return [(Condition(name, "ge", _between(high, value)), _distance(value, high, spread))]
    if value < low:
        return [(Condition(name, "le", _between(low, value)), _distance(value, low, spread))]
    return []


def _between(edge: float, value: float) -> float:
    """Return a round threshold between the edge of what is healthy and a value beyond it."""
    if math.isinf(value):
        return float(f"{10 * edge if edge > 0 else 10.0:.2g}")
    # Between numbers of different size the geometric mean lies in the middle.
    middle = math.sqrt(edge) * math.sqrt(value) if edge > 0 and value > 0 else (edge + value) / 2
    for digits in range(1, 7):
        rounded = float(f"{middle:.{digits}g}")
        if min(edge, value) < rounded < max(edge, value):
            return rounded
    return middle


def _distance(value: float, edge: float, spread: float) -> float:
    return 50.0 if math.isinf(value) else min(math.log1p(abs(value - edge) / spread), 50.0)
