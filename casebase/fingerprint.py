"""The fingerprint of an incident: which facts held, how strongly, and the shape of the curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from ..rules.diagnosis import Diagnosis, FactValue
from .search.terms import facet

BEFORE, AFTER = 16, 32
"""Points of the shape before and from the onset."""
STRIDE = 4
"""Steps that one point of the shape averages."""
_MISSING = -128
_PER_DOUBLING = 16
_MOST_TOKENS = 32


class Fingerprint(msgspec.Struct, frozen=True):
    """What a case is compared by."""

    facts: dict[str, FactValue] = {}
    fired: frozenset[str] = frozenset()
    """Facts that rules built on: they weigh more than what merely happened to be known."""
    shape: bytes = b""
    causes: dict[str, float] = {}
    """Cause id to certainty."""


def of_diagnosis(diagnosis: Diagnosis, shape: bytes = b"") -> Fingerprint:
    """Return the fingerprint of a diagnosis."""
    fired = {because.fact: because.value for cause in diagnosis.causes for because in cause.because}
    return Fingerprint(
        facts=revived({**diagnosis.facts, **fired}),
        fired=frozenset(fired),
        shape=shape,
        causes={cause.id: cause.certainty for cause in diagnosis.causes},
    )


_NAMED = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def revived(facts: Mapping[str, FactValue]) -> dict[str, FactValue]:
    """Return facts as numbers where JSON could only name them; no text fact has these values."""
    return {
        name: _NAMED.get(value, value) if isinstance(value, str) else value for name, value in facts.items()
    }


def of_facts(facts: Mapping[str, FactValue]) -> Fingerprint:
    """Return the fingerprint of facts alone; all of them count as built on."""
    return Fingerprint(facts=revived(facts), fired=frozenset(facts))


def tokens(fingerprint: Fingerprint) -> list[str]:
    """Return the index terms of a fingerprint: candidates for similarity are found through them.

    Only what stands out is indexed, that is the facts that rules built on and the flags that are set; the
    other facts are compared once a candidate is found.
    """
    found = []
    for name in sorted(fingerprint.facts):
        value = fingerprint.facts[name]
        fired = name in fingerprint.fired
        if value is True or (fired and isinstance(value, str)):
            found.append(facet("fact", f"{name}-{value}"))
        elif fired and not isinstance(value, str):
            found.append(facet("fact", name))
            found.append(facet("fact", f"{name}-{_bucket(value)}"))
    return found[:_MOST_TOKENS]


def _bucket(value: float) -> str:
    """Return the power of four that a number is nearest to."""
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf"
    if value == 0:
        return "0"
    return f"{'m' if value < 0 else ''}{round(math.log(abs(value), 4))}"


def shape(step: Sequence[int], loss: Sequence[float], onset: int, before: float) -> bytes:
    """Return the curve round an onset as int8 [48]: 16 points per doubling against the loss before.

    Args:
        step: ascending, [n].
        loss: [n], non-finite values included.
        onset: step of the first bad loss.
        before: loss before the onset; where it is not positive there is no shape.
    """
    if not (before > 0 and math.isfinite(before)):
        return b""
    buckets: list[list[float]] = [[] for _ in range(BEFORE + AFTER)]
    for at, value in zip(step, loss, strict=True):
        index = (at - onset) // STRIDE + BEFORE
        if 0 <= index < len(buckets):
            buckets[index].append(value)
    return bytes(_point(values, before) & 0xFF for values in buckets)


def _point(values: list[float], before: float) -> int:
    if not values:
        return _MISSING
    mean = sum(values) / len(values)
    if not math.isfinite(mean):
        return 127
    ratio = max(mean / before, 1e-3)
    return max(-127, min(127, round(_PER_DOUBLING * math.log2(ratio))))


def shape_likeness(one: bytes, other: bytes) -> float | None:
    """Return how alike two shapes are, 0 to 1; None where they have too little in common."""
    pairs = [(a, b) for a, b in zip(_signed(one), _signed(other), strict=False) if _MISSING not in (a, b)]
    if len(pairs) < BEFORE // 2:
        return None
    # Two doublings apart on average is as different as curves of spikes get.
    distance = sum(abs(a - b) for a, b in pairs) / len(pairs)
    return max(0.0, 1.0 - distance / (2 * _PER_DOUBLING))


def _signed(blob: bytes) -> Sequence[int]:
    return memoryview(blob).cast("b")


def closeness(one: FactValue, other: FactValue) -> float:
    """Return how near two values of a fact are, 0 to 1: numbers by their ratio, a factor of eight is far."""
    if one == other:
        return 1.0
    if isinstance(one, bool | str) or isinstance(other, bool | str):
        return 0.0
    if not (math.isfinite(one) and math.isfinite(other)):
        return float(math.isnan(one) and math.isnan(other))
    if not one or not other or (one > 0) != (other > 0):
        return 0.0
    # Logarithms apart, as the quotient of two finite numbers may be none.
    return max(0.0, 1.0 - abs(math.log(abs(one)) - math.log(abs(other))) / math.log(8))
