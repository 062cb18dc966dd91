"""The evidence schema keeps what sensors wrote, non-finite numbers included."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spikelore.probes.evidence import Event, EvidenceError, Gauge, Header, Step, decode, encode

scalars = st.one_of(
    st.floats(),
    st.integers(-(2**63), 2**63 - 1),
    st.none(),
    st.text().filter(lambda t: t not in {"nan", "inf", "-inf"}),
)
values = st.dictionaries(st.text(max_size=8), st.one_of(scalars, st.lists(scalars, max_size=4)), max_size=5)


def same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@given(values)
def test_every_value_survives_the_line(v: dict[str, object]) -> None:
    """What is encoded is decoded again, NaN and infinities included."""
    original = {name: list(x) if isinstance(x, list) else x for name, x in v.items()}
    line = encode(Step(3, v=v))  # type: ignore[arg-type]
    assert line.count(b"\n") == 1
    record = decode(line)
    assert isinstance(record, Step)
    assert record.v.keys() == original.keys()
    assert all(same(original[name], record.v[name]) for name in original)


def test_nested_event_data_keeps_non_finite_numbers() -> None:
    """An event's data may nest, and keeps infinities at any depth."""
    record = decode(encode(Event("x", 1, data={"a": {"b": [math.inf, {"c": -math.inf}]}})))
    assert isinstance(record, Event)
    assert record.data == {"a": {"b": [math.inf, {"c": -math.inf}]}}


def test_a_torn_line_names_itself() -> None:
    """A line cut in the middle is an evidence error that quotes it."""
    line = encode(Gauge(1, v={"gpu.temperature/0": 61.0}))
    with pytest.raises(EvidenceError, match="gauge"):
        decode(line[:-5])


def test_header_carries_the_rank() -> None:
    """The header is the first record and says which rank wrote the file."""
    assert decode(encode(Header(1, "r", rank=3, world=8))) == Header(1, "r", rank=3, world=8)
