"""Curves in shorthand, for the tests of rules: ``2.3-0.1x18 0.5x40 nan``.

Parts are separated by blanks. ``V`` is one value, ``VxN`` the value N times, ``V+DxN`` or ``V-DxN`` N values
that start at V and change by D each; ``_`` in place of V leaves steps without a value. Values may be ``nan``
and ``inf``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST = 20_000
"""Values that one curve may have."""
VALID = "valid is for example 2.3-0.01x100 9x40, with _ for steps without a value"

_NUMBER = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[-+]?[0-9]{1,3})?"
_PART = re.compile(
    rf"(?P<start>[-+]?{_NUMBER}|[-+]?inf|nan|_)(?:(?P<change>[-+]{_NUMBER}))?(?:x(?P<count>[0-9]{{1,6}}))?"
)


def parse(text: str) -> list[float | None]:
    """Return the values of a curve in shorthand, None where a step has none.

    Raises:
        ValueError: a part is not understood, or there are more than 20,000 values.
    """
    values: list[float | None] = []
    for word in text.split():
        values += _part(word, MOST - len(values))
    if not values:
        raise ValueError(f"an empty curve; {VALID}")
    return values


def _part(word: str, room: int) -> Iterator[float | None]:
    found = _PART.fullmatch(word)
    if found is None or (found["change"] and (found["count"] is None or found["start"] == "_")):
        raise ValueError(f"{word!r} is no part of a curve; {VALID}")
    count = int(found["count"] or 1)
    if not 1 <= count <= room:
        raise ValueError(f"{word!r}: a curve has from 1 to {MOST:,} values")
    if found["start"] == "_":
        return iter([None] * count)
    start, change = float(found["start"]), float(found["change"] or 0.0)
    return iter([start + index * change for index in range(count)])
