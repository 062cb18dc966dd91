"""Misspelt words: what did they mean that somebody once wrote?"""

from __future__ import annotations

from difflib import SequenceMatcher
from string import ascii_lowercase

from .index import Index
from .query import Group, alternatives, words_of_the_trade
from .terms import stem

_SHORTEST = 4
_CANDIDATES = 40
_LIKE_ENOUGH = 0.84
"""Likeness from which words more than one slip apart are taken for the same; below, most are other words."""
_GOES_ON = 0.9
_KEPT = 3


def mend(index: Index, group: Group) -> bool:
    """Give a group that no document answers the likely meanings of its word; tell whether there are any."""
    word = group.word
    if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()):
        return False
    slips = _one_edit_away(word)
    near = [*index.known(slips), *words_of_the_trade().intersection(slips)]
    scores = {other: 1 - 1 / len(word) for other in near} or _alike(word, index.like(word, _CANDIDATES))
    found: dict[str, float] = {}
    for score, other in sorted(((score, other) for other, score in scores.items()), reverse=True):
        found.setdefault(stem(other), score)
    for term, score in list(found.items())[:_KEPT]:
        group.alternatives += alternatives((term,), score)
    return bool(found)


def _alike(word: str, others: list[str]) -> dict[str, float]:
    scores = {other: likeness(word, other) for other in others}
    return {other: score for other, score in scores.items() if score >= _LIKE_ENOUGH}


def likeness(word: str, other: str) -> float:
    """Return how alike two words are, 0 to 1; a word that goes on from the typed one is as good as a typo."""
    if other.startswith(word):
        return _GOES_ON
    return SequenceMatcher(None, word, other, autojunk=False).ratio()


def _one_edit_away(word: str) -> list[str]:
    """Return every word one slip of the fingers away: short words share no trigram with theirs."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    slips = {head + tail[1:] for head, tail in cuts if tail}
    slips |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    slips |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in ascii_lowercase}
    slips |= {head + letter + tail for head, tail in cuts for letter in ascii_lowercase}
    return sorted(slips - {word})
