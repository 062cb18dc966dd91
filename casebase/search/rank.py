"""Ranking: BM25 over title and body, the same on both databases."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from .query import Group
from .retrieve import Weighed

_TITLE_WEIGHT = 3.0
_SATURATION = 1.2
_LENGTH_SHARE = 0.6
_USUAL_LENGTH = 120


@dataclass(frozen=True)
class Scored:
    """A document and the share of the query that it answers, 0 to 1."""

    key: int
    score: float


def idf(documents: int, total: int) -> float:
    """Return how much a word says that stands in this many documents of all (Robertson and Spärck Jones)."""
    documents = min(documents, total)
    return math.log(1 + (total - documents + 0.5) / (documents + 0.5))


def rank(rows: list[tuple[int, str, str]], weighed: list[Weighed], total: int) -> list[Scored]:
    """Return documents best first.

    Args:
        rows: (key, title terms, body terms), terms separated by spaces.
        weighed: what was asked for.
        total: documents in the library.
    """
    asked = [(entry.group, idf(entry.documents, total) * entry.group.importance) for entry in weighed]
    most = sum(value for _, value in asked) or 1.0
    scored = []
    for key, title, body in rows:
        count = _counts(title, body)
        length = 1 - _LENGTH_SHARE + _LENGTH_SHARE * len(count) / _USUAL_LENGTH
        score = sum(value * _answer(group, count, length) for group, value in asked)
        scored.append(Scored(key, min(1.0, score / most)))
    return sorted(scored, key=lambda document: (-document.score, -document.key))


def _counts(title: str, body: str) -> Counter[str]:
    count = Counter(body.split(" "))
    for term in set(title.split(" ")):
        # A Counter takes any number; a word in the title is worth several in the text.
        count[term] += _TITLE_WEIGHT  # type: ignore[assignment]
    return count


def _answer(group: Group, count: Counter[str], length: float) -> float:
    """Return how well a document answers one group, 0 to 1."""
    best = 0.0
    for way in group.alternatives:
        often = min(count[term] for term in way.terms)
        best = max(best, way.weight * often / (often + _SATURATION * length))
    return best
