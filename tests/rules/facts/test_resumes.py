"""Facts that tell what went wrong at a resume, and of what grew under a loss that rises by and by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spikelore.probes.evidence import Event
from spikelore.rules.facts.registry import FactValue

from .recording import ONSET, record, values_of

LOAD = ONSET - 1


def events(**loaded: Any) -> tuple[Event, ...]:
    """A process that saves, and another that loads at `LOAD`."""
    return (
        Event("environment", 0, data={"code": {"__main__": "a", "layers": "1"}}),
        Event("optimizer", 0, data={"index": 0, "class": "Adam", "groups": [], "first": True, "fresh": 10}),
        Event("weights.watched", 0, data={"tensors": 2, "continues": False}),
        Event("weights.fingerprint", LOAD, data={"when": "save", "prints": ["good"]}),
        Event("checkpoint.load", LOAD, data={"path": "a.pt"}),
        Event("resume", LOAD, data={"restored": loaded.get("restored", ["model", "optimizer"])}),
        Event("environment", LOAD, data={"code": loaded.get("code", {"__main__": "a", "layers": "1"})}),
        Event("weights.watched", LOAD, data={"tensors": 2, "continues": False}),
        Event("weights.fingerprint", LOAD, data={"when": "begin", "prints": [loaded.get("weights", "good")]}),
    )


def at_load(tmp_path: Path, first_loss: float, update: float, **loaded: Any) -> dict[str, FactValue]:
    def change(step: int, values: dict[str, Any]) -> None:
        if step >= ONSET:
            values["loss"] = 3.0
        if step == LOAD:
            values["loss"] = first_loss
        if step >= LOAD:
            values["update.norm"] *= update

    return values_of(record(tmp_path, change, events(**loaded)))


def test_a_state_that_is_lost_makes_the_first_updates_leap(tmp_path: Path) -> None:
    """The first loss is as it was, the weights are those saved, and the updates are ten times as large."""
    facts = at_load(tmp_path, 0.5, 10.0, restored=["model"])
    assert facts["resume.lead"] == 1
    assert facts["resume.optimizer"] is False
    assert facts["resume.update_ratio"] == pytest.approx(10, rel=0.3)
    assert facts["resume.first_loss"] < 2
    assert facts["resume.weights_match"] is True
    assert facts["resume.code_changed"] == ""


def test_other_weights_show_before_any_update(tmp_path: Path) -> None:
    """The first loss after the load is bad, and the fingerprint is of nothing that was saved."""
    facts = at_load(tmp_path, 6.0, 1.0, weights="bad")
    assert facts["resume.first_loss"] > 5
    assert facts["resume.weights_match"] is False


def test_other_code_is_named(tmp_path: Path) -> None:
    """A module whose source changed, and one that only one side has."""
    facts = at_load(tmp_path, 6.0, 1.0, code={"__main__": "a", "layers": "2", "extra": "3"})
    assert facts["resume.code_changed"] == "extra, layers"


def test_weights_written_to_once_are_told_from_a_habit(tmp_path: Path) -> None:
    """Once right before the onset is news; on every step it belongs to the job's way."""

    def once(step: int, values: dict[str, Any]) -> None:
        if step >= ONSET:
            values["loss"] = 3.0
        if step == ONSET:
            values["weight.touched"] = 4

    def always(step: int, values: dict[str, Any]) -> None:
        once(step, values)
        values["weight.touched"] = 4

    watched = (Event("weights.watched", 0, data={"tensors": 6, "continues": False}),)
    facts = values_of(record(tmp_path / "once", once, watched))
    assert (facts["weight.touched"], facts["weight.touched_lead"]) == (True, 0)
    assert values_of(record(tmp_path / "always", always, watched))["weight.touched"] is False


def test_what_grew_is_measured_at_the_end(tmp_path: Path) -> None:
    """Signals, logits and the weight of attention rows after the onset against before."""

    def change(step: int, values: dict[str, Any]) -> None:
        late = step >= ONSET
        values |= {"loss": 3.0 if late else 0.5, "act.size": 40.0 if late else 2.0}
        values |= {"attn.peak": 0.99 if late else 0.3, "gate.load": 0.98 if late else 0.2}
        values["output.max"] = 12.0 if late else 6.0

    facts = values_of(record(tmp_path, change))
    assert facts["act.rise"] == pytest.approx(20)
    assert facts["output.rise"] == pytest.approx(2)
    assert (facts["attn.peak_before"], facts["attn.peak_after"]) == (0.3, 0.99)
    assert (facts["gate.load_before"], facts["gate.load_after"]) == (0.2, 0.98)


def test_new_parameters_are_compared_with_the_first_ones(tmp_path: Path) -> None:
    """Their size, whether they are finite, and the loss with them against that of the untrained network."""

    def change(step: int, values: dict[str, Any]) -> None:
        values["loss"] = 20.0 if step >= ONSET else 2.0 if step == 0 else 0.5

    begun = {"class": "SGD", "groups": [], "first": True}
    new = {"index": 1, "fresh": 40, "fresh_scale": 9.0, "fresh_nonfinite": 0}
    old = {"index": 0, "fresh": 100, "fresh_scale": 0.6, "fresh_nonfinite": 0}
    facts = values_of(
        record(
            tmp_path,
            change,
            (Event("optimizer", 0, data={**begun, **old}), Event("optimizer", ONSET, data={**begun, **new})),
        )
    )
    assert facts["fresh.scale_ratio"] == pytest.approx(15)
    assert facts["fresh.nonfinite"] is False
    assert facts["fresh.loss_vs_initial"] == pytest.approx(10)
