"""Similar incidents, found by what the evidence showed and explained fact by fact."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..rules.diagnosis import FactValue, Similar
from .database import Reader
from .fingerprint import Fingerprint, closeness, shape_likeness, tokens
from .reading import briefs, fingerprints, fixes
from .search.index import index_of
from .search.query import Alternative, Group, Query
from .search.rank import idf
from .search.retrieve import Weighed, candidates
from .search.terms import facet
from .values import Brief, FixTried

_KNOWN = 0.2
"""Share of the facts that merely were known, beside those that rules built on."""
_PLACES = ("step", "steps", "steps_since_start", "last_good", "samples", "parameters")
"""Last words of facts that say where or how large, which two incidents need not have in common."""
_EVIDENCE, _SHAPE, _CAUSE = 0.6, 0.15, 0.25
_AGREE = 0.6
"""Closeness from which two values are said to agree."""
_MOST_SHOWN = 8
_CAUSES_LOOKED_UP, _OF_ONE_CAUSE = 3, 50


@dataclass
class Likeness:
    """How one case compares with what is looked for."""

    case: Brief
    score: float
    agree: list[str] = field(default_factory=list)
    differ: list[str] = field(default_factory=list)
    fixes: list[FixTried] = field(default_factory=list)

    def value(self) -> Similar:
        """Return it as a diagnosis carries it."""
        tried = best_attempt(self.fixes)
        return Similar(
            incident=self.case.id,
            score=round(self.score, 4),
            cause=self.case.cause,
            fix=(tried.fix or tried.text) if tried else None,
            outcome=tried.outcome if tried else None,
            agree=self.agree,
            differ=self.differ,
        )


def best_attempt(attempts: list[FixTried]) -> FixTried | None:
    """Return the attempt to tell first: one that worked, else one that failed, else any."""
    order = {"worked": 0, "failed": 1, "unknown": 2}
    return min(attempts, key=lambda attempt: order[attempt.outcome], default=None)


def find_similar(
    reader: Reader, wanted: Fingerprint, starter: bool, limit: int, without: Iterable[str] = ()
) -> list[Likeness]:
    """Return the incidents most like a fingerprint, best first.

    Args:
        reader: where to look.
        wanted: what is looked for.
        starter: whether starter cases count.
        limit: at most so many.
        without: ids of incidents to leave out, such as the one that is looked for.
    """
    rarity, keys = _candidates(reader, wanted, starter)
    prints = fingerprints(reader, keys)
    left_out = set(without)
    compared = [
        (key, _compare(wanted, case, prints.get(key, Fingerprint()), rarity))
        for key, case in briefs(reader, keys).items()
        if case.id not in left_out
    ]
    found = sorted((pair for pair in compared if pair[1].score > 0), key=lambda pair: _order(pair[1]))[:limit]
    attempts = fixes(reader, [key for key, _ in found])
    for key, one in found:
        one.fixes = attempts.get(key, [])
    return [one for _, one in found]


def _order(one: Likeness) -> tuple[float, bool, float]:
    # Among equals a resolved incident teaches more than an open one, and a newer one more than an old one.
    return (-round(one.score, 4), one.case.state != "resolved", -one.case.created)


def _candidates(reader: Reader, wanted: Fingerprint, starter: bool) -> tuple[dict[str, float], list[int]]:
    """Return how much each fact says, and the keys of the incidents worth comparing."""
    index = index_of(reader)
    total = index.total()
    terms = tokens(wanted)
    counts = index.frequencies(terms)
    weighed = sorted(
        (Weighed(Group(term, [Alternative((term,))]), counts[term]) for term in terms),
        key=lambda entry: entry.documents,
    )
    query = Query(excluded=[] if starter else ["source:starter"])
    keys = candidates(index, query, weighed, total)
    # A case without evidence is known by its cause alone.
    causes = sorted(wanted.causes, key=wanted.causes.__getitem__, reverse=True)
    for cause in causes[:_CAUSES_LOOKED_UP]:
        group = Group(cause, [Alternative((facet("cause", cause),))])
        keys += index.newest([group], query, _OF_ONE_CAUSE)
    rarity = {
        name: min((idf(counts[term], total) for term in terms if term == facet("fact", name)), default=1.0)
        for name in wanted.facts
    }
    return rarity, list(dict.fromkeys(keys))


def _compare(wanted: Fingerprint, case: Brief, known: Fingerprint, rarity: dict[str, float]) -> Likeness:
    """Score one case; facts unknown on either side say nothing, but leave less to go by."""
    fired, merely = _Tally(), _Tally()
    for name, value in wanted.facts.items():
        weight = rarity.get(name, 1.0)
        if name in wanted.fired or name in known.fired:
            fired.add(name, weight, value, known.facts.get(name))
        elif name.rpartition(".")[2] not in _PLACES:
            merely.add(name, weight, value, known.facts.get(name))
    likeness = shape_likeness(wanted.shape, known.shape)
    known_share = _KNOWN if merely.compared else 0.0
    evidence = (1 - known_share) * fired.score + known_share * merely.score
    parts = [(_EVIDENCE, evidence)] if wanted.facts else []
    if likeness is not None:
        parts.append((_SHAPE, likeness))
    if wanted.causes:
        parts.append((_CAUSE, wanted.causes.get(case.cause, 0.0)))
    score = sum(weight * part for weight, part in parts) / (sum(weight for weight, _ in parts) or 1.0)
    return Likeness(case, score, _shown(fired.agree), _shown(fired.differ))


class _Tally:
    """Counts how far facts agree."""

    def __init__(self) -> None:
        self.agree: list[tuple[float, str]] = []
        self.differ: list[tuple[float, str]] = []
        self.compared = self._asked = self._matched = 0.0

    def add(self, name: str, weight: float, now: FactValue, then: FactValue | None) -> None:
        self._asked += weight
        if then is None:
            return
        near = closeness(now, then)
        self.compared += weight
        self._matched += weight * near
        (self.agree if near >= _AGREE else self.differ).append((weight, _sentence(name, now, then)))

    @property
    def score(self) -> float:
        """Share of agreement, 0 to 1, less where little could be compared."""
        if not self.compared:
            return 0.0
        return self._matched / self.compared * math.sqrt(self.compared / self._asked)


def _shown(sentences: list[tuple[float, str]]) -> list[str]:
    return [text for _, text in sorted(sentences, reverse=True)[:_MOST_SHOWN]]


def _sentence(name: str, now: FactValue, then: FactValue) -> str:
    if now == then:
        return f"{name} = {_spell(now)}"
    return f"{name}: {_spell(now)} now, {_spell(then)} then"


def _spell(value: FactValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:.4g}"
