"""Texts with this run's own numbers: ``clip at {grad.norm_p95:.2g|1.0}``.

A placeholder is a fact name, an optional number format and an optional default for when the fact is
unknown. Nothing else is understood: no attributes, no indexing, no expressions. ``{{`` and ``}}`` stand
for single braces.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from ..diagnosis import FactValue

_TOKEN = re.compile(
    r"""
    (?P<open>\{\{) | (?P<close>\}\}) |
    \{ (?P<name>[a-z][a-zA-Z0-9_.-]*)
       (?: : (?P<format>,?(?:\.[0-9]{1,2})?[defg%]?) )?
       (?: \| (?P<default>[^{}|\n]*) )? \} |
    (?P<stray>[{}])
    """,
    re.VERBOSE,
)
NUMBER_FORMAT = ".4g"


class Placeholder(NamedTuple):
    """One placeholder as written."""

    name: str
    format: str | None
    default: str | None


class PlaceholderError(ValueError):
    """A text whose braces do not make placeholders."""


def placeholders(text: str) -> list[Placeholder]:
    """Return the placeholders of a text, in order.

    Raises:
        PlaceholderError: a brace is not part of one.
    """
    found = []
    for match in _TOKEN.finditer(text):
        if match["stray"]:
            around = text[max(0, match.start() - 10) : match.start() + 20]
            raise PlaceholderError(f"a brace that starts no placeholder in {around!r}")
        if match["name"]:
            found.append(Placeholder(match["name"], match["format"], match["default"]))
    return found


Quote: TypeAlias = Literal["", "python", "shell"]
"""What a text is quoted for, so that a value can never turn into code."""


def fill(text: str, values: Mapping[str, FactValue], *, quote: Quote = "") -> str | None:
    """Return the text with facts filled in, or None when one is unknown and has no default.

    Args:
        text: one that `placeholders` accepts.
        values: known facts.
        quote: texts become literals of this language.
    """
    missing = False

    def replace(match: re.Match[str]) -> str:
        nonlocal missing
        if match["open"] or match["close"] or match["stray"]:
            return match[0][0]
        value = values.get(match["name"])
        if value is not None:
            return _show(value, match["format"], quote)
        missing = missing or match["default"] is None
        return match["default"] or ""

    filled = _TOKEN.sub(replace, text)
    return None if missing else filled


def check_python(code: str, values: Mapping[str, FactValue]) -> str | None:
    """Return why a code template does not become valid Python with these values, None when it does."""
    defaults: dict[str, FactValue] = {p.name: values.get(p.name, 1.0) for p in placeholders(code)}
    for filling in (defaults, {n: v for n, v in defaults.items() if not _has_default(code, n)}):
        try:
            ast.parse(fill(code, filling, quote="python") or "")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return str(getattr(error, "msg", None) or error or type(error).__name__)
    return None


def _has_default(code: str, name: str) -> bool:
    return any(p.name == name and p.default is not None for p in placeholders(code))


def _show(value: FactValue, form: str | None, quote: Quote) -> str:
    if isinstance(value, str):
        return {"python": repr, "shell": shlex.quote}.get(quote, str)(value)
    if isinstance(value, bool):
        return str(value)
    if form is None:
        text = str(value) if isinstance(value, int) else _plain(value)
    elif form.endswith("d"):
        text = format(round(value), form) if abs(value) < 1e300 else _plain(value)
    else:
        text = format(value, form)
    return f'float("{text}")' if quote == "python" and text.lstrip("-") in {"inf", "nan"} else text


def _plain(value: float) -> str:
    """Return a number with four digits, whole numbers without an exponent."""
    if value == int(value) if abs(value) < 1e9 else False:
        return str(int(value))
    return format(value, NUMBER_FORMAT)
