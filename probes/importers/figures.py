"""Numbers as logs spell them: padded, quoted, with a unit, as a tensor, or not finite."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
"""Pattern of a finite decimal number."""

LARGEST_STEP = 1 << 53
"""Beyond it a step is no counter: doubles would no longer hold it exactly."""

_SPELLED = re.compile(
    rf"^(?:tensor\(|np\.float\d+\(|array\()?\s*({NUMBER}|[-+]?(?:nan|inf(?:inity)?))\b", re.IGNORECASE
)
_NOT_FINITE = {
    "nan": math.nan,
    "-nan": math.nan,
    "+nan": math.nan,
    "nan%": math.nan,
    "-nan(ind)": math.nan,
    "1.#qnan": math.nan,
    "-1.#ind": math.nan,
    "1.#inf": math.inf,
    "-1.#inf": -math.inf,
    "infinity": math.inf,
    "-infinity": -math.inf,
}
_ABSENT = frozenset({"", "-", "--", "none", "null", "n/a", "na", "<na>", "undefined"})


_COMMA = re.compile(r"^\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*$")
_GROUPED = re.compile(r"^\s*[-+]?[1-9]\d{0,2}(?:,\d{3})+\s*$")


def has_decimal_comma(cells: Iterable[str]) -> bool:
    """Tell whether numbers are written as ``0,91``; ``1,234`` alone may as well be a group of digits."""
    return any(_COMMA.match(cell) and not _GROUPED.match(cell) for cell in cells)


def with_point(cell: str) -> str:
    """Return ``0,91`` as ``0.91``, and anything else as it is."""
    return cell.replace(",", ".") if _COMMA.match(cell) else cell


def is_absent(text: str) -> bool:
    """Tell whether a cell says that nothing was measured."""
    return text.strip().lower() in _ABSENT


def number(value: Any) -> float | None:
    """Return a value as a number; None where it is none.

    Knows text as logs write it: ``" 0.5"``, ``"1,234.5"``, ``"57.3%"`` (as 57.3), ``"12.5ms"``,
    ``"tensor(0.5)"``, ``"nan"``, ``"-inf"``, ``"1.#QNAN"``.
    """
    kind = type(value)
    if kind is float:
        return float(value)
    if kind is int:
        return _whole(value)
    if kind is str:
        try:
            # Python reads digit groups such as 1_000, which are names in a log (exp_1_2), not numbers.
            return float(value) if "_" not in value else None
        except ValueError:
            return _spelled(value)
    return None


def _whole(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _spelled(text: str) -> float | None:
    text = text.strip().strip("'\"")
    if len(text) > 64:
        return None
    known = _NOT_FINITE.get(text.lower())
    if known is not None:
        return known
    plain = text.replace(",", "") if re.fullmatch(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?", text) else text
    match = _SPELLED.match(plain)
    if not match:
        return None
    # "1.5e-3/s" has a unit, "2020-01-01" and "0:12:30" are dates and times, "0,91" is read by who knows.
    rest = plain[match.end() :]
    return float(match[1]) if not rest or not re.match(r"[-:/]\s*\d|,\d", rest) else None


def whole_step(value: Any) -> int | None:
    """Return a step counter as an int; None where it is no plausible counter."""
    figure = number(value)
    if figure is None or figure - figure != 0.0 or abs(figure) > LARGEST_STEP:
        return None
    return round(figure)
