"""Facts can be extracted from whatever a recorder left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spikelore.probes.evidence import Event, Header, RunDirectory, RunManifest, Step, encode
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.rules.facts.extract import extract

from .recording import Found

NAMES = (
    "loss", "lr", "grad.norm", "grad.norm/body", "grad.nonfinite", "update.norm", "weight.norm",
    "weight.drift",
    "batch.mean", "batch.std", "batch.min", "batch.max", "batch.hash", "batch.sample_hashes", "label.hist",
    "batch.feature_mean", "batch.feature_std", "output.accuracy", "mode.train", "amp.scale", "amp.skipped",
)  # fmt: skip
anything = st.one_of(
    st.floats(), st.integers(-5, 5), st.none(), st.text(max_size=3), st.lists(st.floats(), max_size=3)
)
rows = st.lists(st.dictionaries(st.sampled_from(NAMES), anything, max_size=8), max_size=40)
events = st.lists(
    st.tuples(
        st.sampled_from(["optimizer", "scheduler", "checkpoint.load", "model", "loader", "oom", "system"]),
        st.integers(0, 40),
        st.dictionaries(
            st.sampled_from(
                ["groups", "class", "settings", "keys", "matches", "saved", "parameters", "kind"]
            ),
            st.one_of(anything, st.dictionaries(st.text(max_size=3), anything, max_size=2)),
            max_size=3,
        ),
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows, events, st.one_of(st.none(), st.integers(-3, 50)))
def test_extraction_never_fails(rows: list[dict], events: list[tuple], onset: int | None) -> None:
    """Missing, mistyped and non-finite evidence leaves facts unknown and raises nothing."""
    with tempfile.TemporaryDirectory() as folder:
        run = RunDirectory.create(Path(folder) / "r", RunManifest("r", 0.0))
        records = [Step(i, v=v) for i, v in enumerate(rows)]
        lines = [encode(Header(1, "r")), *(encode(r) for r in records)]
        lines += [encode(Event(name, step, data=data)) for name, step, data in events]
        run.new_evidence_file(0).write_bytes(b"".join(lines))
        facts = extract(RunEvidence.load(run), Found(), onset)
    assert all(name == fact.name for name, fact in facts.items())
