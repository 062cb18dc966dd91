"""Misspelt words: what did they mean that somebody once wrote?"""

from __future__ import annotations

from difflib import SequenceMatcher
from string import ascii_lowercase

from .index import Index
from .query import Alternative, Group
from .terms import stem

_SHORTEST = 4
_CANDIDATES = 40
_LIKE_ENOUGH = 0.72
_KEPT = 3


def mend(index: Index, group: Group) -> bool:
    """Give a group that no document answers the likely meanings of its word; tell whether there are any."""
    word = group.word
    if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()):
        return False
    known = index.known(_one_edit_away(word)) or index.like(word, _CANDIDATES)
    ranked = sorted(((likeness(word, other), other) for other in known), reverse=True)
    found: dict[str, float] = {}
    for score, other in ranked:
        if score >= _LIKE_ENOUGH:
            found.setdefault(stem(other), score)
    group.alternatives += [Alternative((term,), score) for term, score in list(found.items())[:_KEPT]]
    return bool(found)


def likeness(word: str, other: str) -> float:
    """Return how alike two words are, 0 to 1; a word that goes on from the typed one is as good as a typo."""
    if other.startswith(word):
        return 0.9
    same_start = 0.02 if word[0] == other[0] else 0.0
    return SequenceMatcher(None, word, other, autojunk=False).ratio() + same_start


def _one_edit_away(word: str) -> list[str]:
    """Return every word one slip of the fingers away: short words share no trigram with theirs."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    slips = {head + tail[1:] for head, tail in cuts if tail}
    slips |= {head + tail[1] + tail[0] + tail[2:] for head, tail in cuts if len(tail) > 1}
    slips |= {head + letter + tail[1:] for head, tail in cuts if tail for letter in ascii_lowercase}
    slips |= {head + letter + tail for head, tail in cuts for letter in ascii_lowercase}
    return sorted(slips - {word})
