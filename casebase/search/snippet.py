"""Snippets: the stretch of text that shows why a case was found."""

from __future__ import annotations

import re

from ..values import Brief
from .query import Group
from .terms import HAN, is_han, stem, terms

_HAN = re.compile(f"[{HAN}]")
LENGTH = 160
"""Characters."""
_PIECE = re.compile(rf"[{HAN}]|[^\W_{HAN}]+(?:\.\d+)?(?:(?<=e)[-+]\d+)?")


def snippet(text: str, groups: list[Group], length: int = LENGTH) -> tuple[str, list[tuple[int, int]]]:
    """Return a stretch of the text with most of what was asked for, and where it stands in it."""
    text = re.sub(r"\s+", " ", text).strip()
    spans = _matches(text, _wanted(groups))
    start = _best_start(spans, length)
    start, end = _whole_words(text, start, length)
    head = "…" if start else ""
    tail = "…" if end < len(text) else ""
    shift = len(head) - start
    marks = [(a + shift, b + shift) for a, b, _ in spans if a >= start and b <= end]
    return head + text[start:end] + tail, _joined(marks)


def passage(text: str, case: Brief, groups: list[Group]) -> str:
    """Return the line of a document that answers most of what was asked for, its titles left out.

    Of lines that answer as much, one in the script of the question, then the first.
    """
    lines = [line for line in text.split("\n") if line.strip() and line not in (case.title, case.title_zh)]
    chinese = any(is_han(group.text) for group in groups)

    def worth(line: str) -> tuple[float, bool]:
        return _answered(set(terms(line)), groups), bool(_HAN.search(line)) == chinese

    return max(lines, key=worth, default="")


def _answered(found: set[str], groups: list[Group]) -> float:
    """Return how much of what was asked for stands in a line, in groups."""
    return sum(
        group.importance
        * max((way.weight for way in group.alternatives if found.issuperset(way.terms)), default=0.0)
        for group in groups
    )


def _wanted(groups: list[Group]) -> dict[str, int]:
    """Return every term asked for with the number of its group."""
    return {term: i for i, group in enumerate(groups) for way in group.alternatives for term in way.terms}


def _matches(text: str, wanted: dict[str, int]) -> list[tuple[int, int, int]]:
    """Return (start, end, group) of every term asked for."""
    found = []
    pieces = list(_PIECE.finditer(text))
    for i, piece in enumerate(pieces):
        word = piece[0]
        if not is_han(word):
            group = wanted.get(stem(word))
            if group is not None:
                found.append((piece.start(), piece.end(), group))
            continue
        pair = text[piece.start() : piece.start() + 2]
        group = wanted.get(pair, wanted.get(word))
        if group is not None:
            width = 2 if pair in wanted and i + 1 < len(pieces) else 1
            found.append((piece.start(), piece.start() + width, group))
    return found


def _best_start(spans: list[tuple[int, int, int]], length: int) -> int:
    """Return where to cut so that most groups are seen."""
    best, where = 0, 0
    for start, _, _ in spans:
        seen = len({group for a, b, group in spans if a >= start and b <= start + length})
        if seen > best:
            best, where = seen, start
    return max(0, where - length // 5) if where > length // 2 else 0


def _whole_words(text: str, start: int, length: int) -> tuple[int, int]:
    end = min(len(text), start + length)
    if start:
        space = text.find(" ", start, start + 20)
        start = space + 1 if space >= 0 else start
    if end < len(text):
        space = text.rfind(" ", end - 20, end)
        end = space if space > start else end
    return start, end


def _joined(marks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
