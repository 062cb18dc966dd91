"""From what somebody typed to what is looked up."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from itertools import groupby, pairwise

import msgspec

from ..values import Filters
from .terms import STOP_WORDS, facet, is_han, terms, tokens

FACETS = (
    "cause", "family", "state", "project", "framework", "model_type", "tag", "outcome", "fix", "source",
    "lineage", "run",
)  # fmt: skip
_FILTER = re.compile(rf"\b({'|'.join(FACETS)}):(\S+)")
_SYNONYM_WEIGHT = 0.6
_HALF_WEIGHT = 0.4
_FAINT = 0.25
"""Importance of function words: in a small library their rarity does not show how little they say."""
_PAIR_OVERLAP = 0.5
"""Two neighbouring pairs of Chinese characters share one, so each says half of what a word says."""


@dataclass(frozen=True)
class Alternative:
    """Terms that together stand for one thing asked for."""

    terms: tuple[str, ...]
    weight: float = 1.0


@dataclass
class Group:
    """One thing asked for, in all the ways that it may be written."""

    text: str
    alternatives: list[Alternative]
    importance: float = 1.0
    word: str = ""
    """The word as typed where the group is one, to be mended if nobody ever wrote it."""


@dataclass
class Query:
    """What is looked up: groups to rank by, facets that must hold."""

    groups: list[Group] = field(default_factory=list)
    facets: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    since: float | None = None
    until: float | None = None


def parse(text: str, filters: Filters, starter: bool) -> Query:
    """Return the query that a text and filters mean; ``cause:ID`` in the text is a filter too."""
    wanted = [facet(name, value) for name in FACETS if (value := getattr(filters, name))]
    wanted += [facet(match[1], match[2]) for match in _FILTER.finditer(text)]
    return Query(
        groups=_groups(_FILTER.sub(" ", text)),
        facets=wanted,
        excluded=[] if starter else ["source:starter"],
        since=filters.since,
        until=filters.until,
    )


@cache
def _function_words() -> frozenset[str]:
    """Return words, and Chinese characters and pairs, that hold a sentence together and say little."""
    lines = [line for lines in _words_in("function_words.json").values() for line in lines]
    return frozenset(word for line in lines for word in line.split())


def _words_in(name: str) -> dict[str, list[str]]:
    return msgspec.json.decode(files(__package__).joinpath(name).read_bytes(), type=dict[str, list[str]])


@cache
def _synonyms() -> dict[str, list[str]]:
    """Return phrases that mean the same, by the concept."""
    return _words_in("synonyms.json")


@cache
def _concepts() -> dict[tuple[str, ...], list[tuple[str, ...]]]:
    """Return every known phrase, as terms, with the other phrases that mean the same."""
    table: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for phrases in _synonyms().values():
        spelled = list(dict.fromkeys(_spelled(phrase) for phrase in phrases))
        for phrase in spelled:
            table.setdefault(phrase, []).extend(other for other in spelled if other != phrase)
    return table


@cache
def words_of_the_trade() -> frozenset[str]:
    """Return the English words that have synonyms: a misspelt one may be meant though nobody wrote it."""
    return frozenset(
        phrase.casefold()
        for phrases in _synonyms().values()
        for phrase in phrases
        if phrase.isascii() and phrase.isalpha()
    )


def alternatives(phrase: tuple[str, ...], weight: float = 1.0) -> list[Alternative]:
    """Return the ways to write a phrase, given as stems or Chinese characters: as it is, and its synonyms."""
    same = [Alternative(_indexed(other), _SYNONYM_WEIGHT * weight) for other in _concepts().get(phrase, ())]
    return [Alternative(_indexed(phrase), weight), *same]


def _spelled(phrase: str) -> tuple[str, ...]:
    return tuple(unit for unit, _ in _units(phrase))


def _units(text: str) -> list[tuple[str, str]]:
    """Return the units that phrases are matched in, each with the word it comes from.

    Units are stems of words and single Chinese characters.
    """
    units: list[tuple[str, str]] = []
    for token in tokens(text):
        if is_han(token):
            units += [(character, "") for character in token]
        else:
            units += [(term, token.casefold()) for term in terms(token)]
    return units


def _indexed(phrase: tuple[str, ...]) -> tuple[str, ...]:
    """Return the index terms of a phrase: neighbouring Chinese characters become pairs."""
    found: list[str] = []
    for i, unit in enumerate(phrase):
        if not is_han(unit):
            found.append(unit)
        elif i + 1 < len(phrase) and is_han(phrase[i + 1]):
            found.append(unit + phrase[i + 1])
        elif not (i and is_han(phrase[i - 1])):
            found.append(unit)
    return tuple(dict.fromkeys(found))


def _groups(text: str) -> list[Group]:
    units = _units(text)
    longest = max(map(len, _concepts()), default=1)
    groups: list[Group] = []
    run: list[tuple[str, str]] = []
    at = 0
    while at < len(units):
        ahead = tuple(unit for unit, _ in units[at : at + longest])
        size = next((n for n in range(len(ahead), 0, -1) if ahead[:n] in _concepts()), 0)
        if size:
            groups += [*_plain_groups(run), _concept_group(ahead[:size])]
            run = []
        else:
            run.append(units[at])
        at += size or 1
    return _unique(groups + _plain_groups(run))


def _concept_group(phrase: tuple[str, ...]) -> Group:
    own = _indexed(phrase)
    # Half of a phrase is still a hint, unless it is its "up" or "of".
    telling = [term for term in own if term not in STOP_WORDS and not _says_little(term)]
    parts = [Alternative((term,), _HALF_WEIGHT) for term in telling] if len(own) > 1 else []
    return Group(" ".join(phrase), [*alternatives(phrase), *parts])


def _plain_groups(units: list[tuple[str, str]]) -> list[Group]:
    """Return one group per word, and one per pair of neighbouring Chinese characters."""
    groups: list[Group] = []
    for han, stretch in groupby(units, lambda unit: is_han(unit[0])):
        if han:
            groups += _han_groups([unit for unit, _ in stretch])
        else:
            groups += [_word_group(unit, word) for unit, word in stretch if word not in STOP_WORDS]
    return groups


def _word_group(term: str, word: str) -> Group:
    # A function word that nobody wrote is no misspelling.
    faint = word in _function_words()
    return Group(term, [Alternative((term,))], _FAINT if faint else 1.0, "" if faint else word)


def _han_groups(characters: list[str]) -> list[Group]:
    pairs = [a + b for a, b in pairwise(characters)] or characters
    weight = 1.0 if len(pairs) == 1 else _PAIR_OVERLAP
    return [
        Group(pair, [Alternative((pair,))], weight * (_FAINT if _says_little(pair) else 1.0))
        for pair in pairs
        if not (pair in STOP_WORDS or set(pair) & STOP_WORDS)
    ]


def _says_little(term: str) -> bool:
    """Tell whether a stem, or a pair of Chinese characters or part of it, is a function word."""
    return not _function_words().isdisjoint((term, *term) if is_han(term) else (term,))


def _unique(groups: list[Group]) -> list[Group]:
    return list({tuple(a.terms for a in group.alternatives): group for group in groups}.values())
