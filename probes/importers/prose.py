"""Numbers and their names in a line of text, whatever punctuation a script prints them in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from .figures import number
from .names import guess, split_words
from .vocabulary import TESTING, TRAINING, VALIDATION

_MOST = 80
_NOISE = re.compile(
    # Dates with a time or without, times and durations, places in the code, bars, shares done.
    r"\d{4}[-/.]\d\d?[-/.]\d\d?(?:[ T]\d\d?:\d\d(?::\d\d)?(?:[.,]\d+)?)?"
    r"|\b\d\d/\d\d (?=\d\d:\d\d)|(?:\b\d{1,6} days?, )?\b\d{1,6}:\d\d(?::\d\d)?(?:[.,]\d+)?(?![\d.]*\w)"
    r"|(?<![\w.])[\w.]{1,80}\.(?:py|cc|cpp)(?:[: ]\d+| line \d+)|\[[-=>.#━ ]{3,}\]|\(\s*\d+(?:\.\d+)?\s*%\)"
)
_BAR = re.compile(r"\d{1,3}%\|[^|\n]{0,300}\|")
_ORDINAL = re.compile(r"第\s*(\d+)\s*(?:个|次)?\s*(轮次?|周期|epoch|步|迭代)")
_PAIR = re.compile(r"^\s*[\[(]\s*(\d{1,9}),\s*(\d{1,12})\s*[\])]")
_NUMBER = re.compile(
    r"(?<![\w.@])(?P<number>[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
    r"|(?<=[\s:=(\[+-])(?:nan|inf(?:inity)?))(?:\s*/\s*(?P<total>\d+))?(?P<unit>%|[a-zµ]{0,3}/[a-z]+|[a-zµ]{1,3})?(?!\w)",
    re.IGNORECASE,
)
_SPLIT = re.compile(
    r"(?<!\w)(train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?|eval(?:uation)?|dev)"
    r"(?:[ _](?:set|phase|results?|epoch))?(?:\.\.)?\s*(?:[\]):|]|- )|saving dict for (global) step",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[,;|()\[\]{}]|\s-\s|\t|\s{2,}|\.\s|:\s+(?=\S)")
_LABEL = re.compile(r"[^\W\d][\w@./+-]*(?:'s)?(?:[ _][^\W\d][\w@./+-]*){0,3}$")
_WRAPPER = re.compile(
    r"(?:\btensor|\bnp\.float\d\d|\bis|\bwas|\bof|\bat|\bthe|\bvalue|\barray)\s*$", re.IGNORECASE
)
_PUNCTUATION = "'\"`*:=([{<~ \t"


@dataclass(frozen=True)
class Token:
    """A number with its name.

    Attributes:
        name: empty for a number that stands alone.
        total: what it is counted up to, as in ``3/10``.
        whole: it is written without a point.
        listed: it is one of several behind one name.
        split: ``val`` or ``train`` where the line says so before it.
    """

    name: str
    value: float
    total: float | None = None
    whole: bool = False
    listed: bool = False
    split: str = ""


def tokens(line: str) -> list[Token]:
    """Return the numbers of a line; times, dates, rates and the averages in brackets behind are left out."""
    text = _cleaned(line)
    first = _PAIR.match(text)
    if first:
        text = f"epoch {first[1]} batch {first[2]} {text[first.end() :]}"
    return list(_joined(_raw(text)))


def _cleaned(line: str) -> str:
    text = _BAR.sub(" ", line) if "%|" in line else line
    if "第" in text:
        text = _ORDINAL.sub(lambda m: f" {'step' if m[2] in '步迭代' else 'epoch'} {m[1]} ", text)
    return _NOISE.sub(" ; ", text)


def _raw(text: str) -> Iterator[tuple[str, Token | None]]:
    """Yield (text before it, token) for every number, None for one with a unit: a time, a rate or a size."""
    end, split = 0, ""
    for index, match in enumerate(_NUMBER.finditer(text)):
        if index >= _MOST:
            return
        gap, end = text[end : match.start()], match.end()
        split = _split_in(gap) or split
        unit = match["unit"]
        value = number(match["number"])
        if value is None or (unit and unit != "%"):
            yield gap, None
            continue
        name = name_before(gap)
        own = _split_of(name)
        split = own or split
        total = float(match["total"]) if match["total"] else None
        yield gap, Token(name, value, total, match["number"].lstrip("+-").isdigit(), split=split)


def _joined(raw: Iterator[tuple[str, Token | None]]) -> Iterator[Token]:
    """Drop averages in brackets, mark lists, and read ``loss 7 0.52`` as step 7."""
    previous: Token | None = None
    inside = False
    for gap, token in raw:
        bare = gap.strip()
        if token is None:
            if previous is not None:
                yield previous
            previous = None
            continue
        if token.name or previous is None:
            inside = False
        elif bare == "(" or bare.endswith("±"):
            continue
        elif bare == "," and (inside or previous.name):
            inside = True
            previous = Token(
                previous.name, previous.value, previous.total, previous.whole, True, previous.split
            )
            continue
        elif (
            bare in ("", ":")
            and previous.whole
            and previous.total is None
            and guess(previous.name).kind == "loss"
        ):
            yield Token("step", previous.value, None, True, split=previous.split)
            previous = Token(previous.name, token.value, None, token.whole, split=previous.split)
            continue
        if previous is not None:
            yield previous
        previous = token
    if previous is not None:
        yield previous


@lru_cache(maxsize=1 << 12)
def name_before(gap: str) -> str:
    """Return the name that stands before a number, from the text since the number before."""
    text = gap.rstrip(_PUNCTUATION)
    text = _WRAPPER.sub("", text).rstrip(_PUNCTUATION)
    match = _LABEL.search(_BREAK.split(text)[-1])
    return match[0].strip() if match else ""


@lru_cache(maxsize=1 << 12)
def _split_in(gap: str) -> str:
    found = _SPLIT.findall(gap)
    if not found:
        return ""
    word = found[-1][0].lower()
    return "train" if word in TRAINING else "val"


@lru_cache(maxsize=1 << 12)
def _split_of(name: str) -> str:
    words = set(split_words(name))
    if words & (VALIDATION | TESTING):
        return "val"
    return "train" if words & TRAINING else ""
