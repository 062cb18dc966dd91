"""Rule files as they must not be: shipped documents, damaged in text and in structure."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml
from spikelore.rules.rulebase import LIBRARY

ODD: list[Any] = [
    None, True, False, 0, -1, 1e308, 10**30, 1e-320, float("nan"), float("inf"), "", " ", "nan", "no",
    "a" * 5_000, "\u200b", "\ud83d", "学习率", "{", "{a.b:%}", "]", [], {}, [[]], [None],
    {"": None}, {"a": {"b": {}}}, "symptom.bad-update", "cause.model.exploding-gradients",
    "../../x", "${HOME}", "\x07",
]  # fmt: skip
FRAGMENTS = [
    "&a", "*a", "!!python/object/apply:os.system [id]", "!x y", "<<: *a", "? {a: 1}", "- - - -", "{{", "}",
    "[" * 40, "---", "...", "%YAML 9.9", "\t", "'", '"', ": :", "|", ">-", "#", "\x00", "\ufeff", "\u2028",
    "a: " * 20, "\ud83d", "1e999999", "0x10", ".nan", "1_000", "2024-01-01", "in: [1]", "when:",
    "unless: [{fact: lr.jump, ge: 3}]",
]  # fmt: skip
TextMutation: TypeAlias = Callable[[random.Random, str], str]


class Damaged(NamedTuple):
    """A document of a kind after one to four mutations, under the name that it had."""

    kind: str
    name: str
    data: bytes

    def write(self, folder: Path) -> Path:
        """Put it where a team directory has its kind, and return the file."""
        path = folder / self.kind / self.name
        path.parent.mkdir(parents=True)
        path.write_bytes(self.data)
        return path


def damaged(rng: random.Random) -> Damaged:
    """Return a shipped rule, less often a cause or fix, that went through one to four mutations."""
    kind = rng.choices(["rules", "causes", "fixes"], [4, 1, 1])[0]
    path = rng.choice(sorted((LIBRARY / kind).glob("*.yaml")))
    text = path.read_text(encoding="utf-8")
    for _ in range(rng.choice([1, 1, 2, 4])):
        text = _in_structure(rng, text) if rng.random() < 0.6 else rng.choice(_TEXT)(rng, text)
    data = text.encode("utf-8", "surrogatepass")
    return Damaged(kind, path.name, _flipped(rng, data) if rng.random() < 0.15 else data)


def _in_structure(rng: random.Random, text: str) -> str:
    try:
        document = yaml.safe_load(text)
        places = list(_places(document))
        holder, key = rng.choice(places)
    except (yaml.YAMLError, ValueError, IndexError, RecursionError):
        return text
    kind = rng.random()
    if isinstance(holder[key], float | int) and not isinstance(holder[key], bool):
        holder[key] *= rng.choice([0.5, 1.5, -1, 1e9, 1])
    elif kind < 0.5:
        holder[key] = rng.choice(ODD)
    elif kind < 0.65:
        del holder[key]
    elif kind < 0.8:
        other, where = rng.choice(places)
        try:
            holder[key] = other[where]
        except (KeyError, IndexError):
            return text
    elif isinstance(holder, dict):
        holder[rng.choice(["", "gt", "in", "facts", "disabled", "x" * 200, str(key).upper()])] = holder.pop(
            key
        )
    else:
        holder *= rng.choice([2, 40])
    try:
        return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    except (yaml.YAMLError, ValueError, RecursionError, UnicodeError):
        return text


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in list(items):
        yield value, key
        yield from _places(below)


def _lines(change: Callable[[random.Random, list[str]], None]) -> TextMutation:
    def mutate(rng: random.Random, text: str) -> str:
        lines = text.split("\n")
        change(rng, lines)
        return "\n".join(lines)

    return mutate


def _drop(rng: random.Random, lines: list[str]) -> None:
    del lines[rng.randrange(len(lines))]


def _repeat(rng: random.Random, lines: list[str]) -> None:
    index = rng.randrange(len(lines))
    lines[index:index] = lines[index : index + rng.randint(1, 5)] * rng.choice([1, 1, 200])


def _indent(rng: random.Random, lines: list[str]) -> None:
    index = rng.randrange(len(lines))
    lines[index] = rng.choice([" ", "    ", "\t", "- "]) * rng.choice([1, 1, 20]) + lines[index].lstrip()


def _swap(rng: random.Random, lines: list[str]) -> None:
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _insert(rng: random.Random, text: str) -> str:
    place = rng.randrange(len(text) + 1)
    return text[:place] + rng.choice(FRAGMENTS) + text[place:]


def _cut(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _nest(rng: random.Random, text: str) -> str:
    return text + "\nextra: " + rng.choice(["[", "{a: "]) * rng.choice([5, 13, 3_000])


def _swell(rng: random.Random, text: str) -> str:
    return text + "\n" + "".join(f"k{n}: {n}\n" for n in range(rng.choice([10, 9_000])))


def _flipped(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8) if changed else 0):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


_TEXT: list[TextMutation] = [
    *(_lines(change) for change in (_drop, _repeat, _indent, _swap)),
    _insert,
    _insert,
    _cut,
    _nest,
    _swell,
]
