"""One comparison of one fact, and how values travel to the native engine.

The engine coerces types (``1 == True == '1'``), reads decimals in the C locale of the process and fails
on ``1e-05``; so a value never reaches it in its own notation. A number travels as an integer whose order
is that of the double, a text as itself when it is short and plain and as a digest otherwise, and each
type in a slot of its own.
"""

from __future__ import annotations

import hashlib
import math
import operator
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from ..diagnosis import FactValue
from ..documents.fields import Operator
from ..documents.rule import ConditionDocument
from ..facts.registry import Fact

Judgement: TypeAlias = Literal["yes", "no", "unknown"]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
}
SIGNS: dict[str, str] = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "eq": "=", "ne": "!=", "in": "in"}
_PLAIN = re.compile(r"[A-Za-z0-9 ._/:+-]{0,120}")


def number(value: float | int) -> float:
    """Return a number as the double it is compared as; an integer beyond all doubles becomes infinite."""
    try:
        return float(value) + 0.0
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def slot(value: FactValue) -> Literal["b", "n", "s"]:
    """Return the type of a value: boolean, number or text."""
    if isinstance(value, bool):
        return "b"
    return "s" if isinstance(value, str) else "n"


def order_key(value: float | int) -> int:
    """Return the 64-bit integer that orders like the double; not for NaN.

    The bits of a positive double order like an integer; those of a negative one in reverse.
    """
    bits: int = struct.unpack("<q", struct.pack("<d", number(value)))[0]
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def text_key(text: str) -> str:
    """Return a short plain text that is equal exactly when the text is."""
    if _PLAIN.fullmatch(text):
        return f"={text}"
    return "#" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def wire(value: FactValue) -> int | bool | str:
    """Return a value as it travels."""
    if isinstance(value, bool):
        return value
    return text_key(value) if isinstance(value, str) else order_key(value)


@dataclass(frozen=True, eq=False)
class Condition:
    """A comparison with one value, or membership in several."""

    fact: str
    op: Operator
    value: FactValue | tuple[FactValue, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def _key(self) -> tuple[object, ...]:
        return self.fact, self.op, tuple((slot(value), value) for value in self.alternatives)

    @classmethod
    def of(cls, document: ConditionDocument) -> Condition:
        """Return the condition that a document states."""
        operand = document.operand
        return cls(document.fact, document.operator, tuple(operand) if isinstance(operand, list) else operand)

    @property
    def alternatives(self) -> tuple[FactValue, ...]:
        """The values compared with: several for ``in``, else one."""
        return self.value if isinstance(self.value, tuple) else (self.value,)

    def judge(self, facts: Mapping[str, Fact]) -> Judgement:
        """Return whether the condition holds on facts; a fact that is absent is unknown."""
        fact = facts.get(self.fact)
        if fact is None or (isinstance(fact.value, float) and math.isnan(fact.value)):
            return "unknown"
        return "yes" if self.holds(fact.value) else "no"

    def holds(self, value: FactValue) -> bool:
        """Return whether the condition holds for a value that is no NaN."""
        compare = _COMPARE["eq" if self.op == "in" else self.op]
        return any(_holds(compare, value, other) for other in self.alternatives)

    def __str__(self) -> str:
        return f"{self.fact} {self.text}"

    @property
    def text(self) -> str:
        """The comparison without the fact: ``>= 10``."""
        if self.op == "in":
            return f"in {', '.join(map(show, self.alternatives))}"
        return f"{SIGNS[self.op]} {show(self.alternatives[0])}"


def show(value: FactValue) -> str:
    """Return a value as people read it: four digits, ``true`` and ``false``, text as it is."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not (math.isfinite(value) and value == int(value) and abs(value) < 1e6):
        return format(value, ".4g")
    return str(int(value))


def _holds(compare: Callable[[Any, Any], bool], a: FactValue, b: FactValue) -> bool:
    # Values of different types are neither ordered nor equal nor, to be the same everywhere, unequal.
    if slot(a) != slot(b):
        return False
    if isinstance(a, str) or isinstance(b, str):
        return compare(a, b)
    return compare(number(a), number(b))
