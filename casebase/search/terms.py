"""From text to the terms that are indexed, English and Chinese alike.

Words are folded, split at case changes and stemmed lightly. Chinese has no spaces, so every character
and every pair of neighbours is a term: a query of one character works, and one of several is found by
its pairs even where a character is wrong.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff"
_TOKEN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:\.\d+)?(?:(?<=e)[-+]\d+)?")
_HAN_START = re.compile(rf"[{HAN}]")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_UNSAFE = re.compile(r"[^\w.\-]+")
_MOST_TERMS = 4000
"""A pasted log must not crowd out what people wrote; the rest of it is not searched."""

_STOP_WORDS = """
a an and are as at be been but by can did do does for from had has have how i if in into is it its my of on or
our so that the their them then there these this to too was we were what when where which while why will with
you your
的 了 是 在 和 与 及 或 也 都 我 我们 你 他 它 这 那 就 把 被 吗 呢 吧 怎么 什么 为什么 如何
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


def terms(text: str) -> list[str]:
    """Return the terms of a text in order, at most 4,000."""
    found: list[str] = []
    for token in tokens(text):
        found += _terms_of(token)
        if len(found) > _MOST_TERMS:
            break
    return found[:_MOST_TERMS]


def tokens(text: str) -> Iterator[str]:
    """Yield words, numbers and runs of Chinese as they stand in the text, compatibility forms folded."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    for match in _TOKEN.finditer(text):
        yield match[0]


def is_han(token: str) -> bool:
    """Tell a run of Chinese (or Japanese) from a word."""
    return bool(_HAN_START.match(token))


@lru_cache(maxsize=65536)
def _terms_of(token: str) -> tuple[str, ...]:
    if is_han(token):
        return (*token, *(token[i : i + 2] for i in range(len(token) - 1)))
    parts = _CAMEL.findall(token)
    # "NaN" and "cuDNN" are names; only what is plainly two words is split.
    if len(parts) > 1 and all(len(part) > 2 for part in parts):
        return (*(stem(part) for part in parts), stem(token))
    folded = stem(token)
    return () if folded in STOP_WORDS else (folded,)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a word without case and English inflection; made for search, not for reading."""
    word = word.casefold().replace("+", "")
    if len(word) < 4 or not (word.isascii() and word.isalpha()):
        return word
    word = _singular(word)
    for british, american in (
        ("isation", "ization"),
        ("ise", "ize"),
        ("ising", "izing"),
        ("ised", "ized"),
        ("iser", "izer"),
    ):
        if word.endswith(british) and len(word) > len(british) + 3:
            word = word[: -len(british)] + american
    for ending in ("ization", "ation", "ence", "ance", "ing", "ed", "ly"):
        root = word[: -len(ending)]
        if word.endswith(ending) and len(root) > 2 and re.search("[aeiouy]", root):
            word = (
                _undouble(root) if ending in ("ing", "ed") else root + ("iz" if ending == "ization" else "")
            )
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "ias")):
        return word[:-1]
    return word


def _undouble(root: str) -> str:
    return root[:-1] if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "lsz" else root


@lru_cache(maxsize=65536)
def facet(kind: str, value: str) -> str:
    """Return the term that stands for a property, such as ``cause:data.loading-error``."""
    return f"{kind}:{_UNSAFE.sub('-', unicodedata.normalize('NFKC', value).casefold()).strip('-') or '-'}"


def join(found: Iterable[str]) -> str:
    """Return terms as one text for a column of the document table."""
    return " ".join(found)
