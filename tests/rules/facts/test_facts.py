"""Facts tell look-alikes apart by what came first and what stayed as it was."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from spikelore.probes.evidence import Eval, Event
from spikelore.rules.facts.registry import specs

from .recording import LENGTH, ONSET, facts_of, record, values_of


def bad_loss(step: int, values: dict[str, Any]) -> None:
    if step >= ONSET:
        values["loss"] = 3.0


def test_an_untouched_run_shows_nothing_unusual(tmp_path: Path) -> None:
    """On a run in which only the loss jumped, every other quantity is known to be as before."""
    facts = values_of(record(tmp_path, bad_loss))
    assert facts["batch.normal"] is True
    assert facts["label.normal"] is True
    assert facts["update.lead"] == 0
    assert facts["lr.jump"] == pytest.approx(1.0)
    assert facts["grad.norm_ratio"] < 2
    assert facts["weight.drift"] == 0
    assert facts["mode.eval_training"] is False


def test_gradient_that_led_is_dated_before_the_loss(tmp_path: Path) -> None:
    """A gradient that explodes one step before the loss has a lead of one."""

    def change(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step == ONSET - 1:
            values["grad.norm"], values["update.norm"] = 120.0, 6.0

    facts = values_of(record(tmp_path, change))
    assert facts["grad.lead"] == 1
    assert facts["update.lead"] == 1
    assert facts["spike.culprit_step"] == ONSET - 1
    assert facts["grad.norm_ratio"] > 200


def test_gradient_that_follows_has_no_lead(tmp_path: Path) -> None:
    """A gradient that grows with the bad loss itself did not cause it."""

    def change(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["grad.norm"], values["update.norm"] = 20.0, 1.0

    facts = values_of(record(tmp_path, change))
    assert facts["grad.lead"] == 0
    assert facts["update.lead"] == 0


def test_rate_that_jumped_at_the_onset_itself_is_innocent(tmp_path: Path) -> None:
    """A step's rate acts after its loss, so a jump at the onset's own step is not seen as its cause."""

    def change(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["lr"] = 10.0

    facts = values_of(record(tmp_path, change))
    assert facts["lr.jump"] == pytest.approx(1.0)
    assert facts["lr.ratio"] == pytest.approx(1.0)


def test_rate_that_jumped_before_is_measured(tmp_path: Path) -> None:
    """A jump one step earlier is found with its size, its lead and its height over all earlier rates."""

    def change(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET - 1:
            values["lr"] = 10.0

    facts = values_of(record(tmp_path, change))
    assert facts["lr.jump"] == pytest.approx(100.0)
    assert facts["lr.jump_lead"] == 1
    assert facts["lr.over_peak"] == pytest.approx(100.0)


def test_a_few_extreme_values_are_told_from_another_scale(tmp_path: Path) -> None:
    """Extremes leave the spread behind; a change of scale takes it along."""

    def extremes(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["batch.max"], values["batch.std"], values["batch.mean"] = 1000.0, 30.0, 2.0

    def scale(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["batch.max"], values["batch.std"], values["batch.mean"] = 255.0, 102.0, 76.0

    assert values_of(record(tmp_path / "a", extremes))["batch.outlier_like"] is True
    facts = values_of(record(tmp_path / "b", scale))
    assert facts["batch.outlier_like"] is False
    assert facts["batch.std_ratio"] > 200


def test_drift_within_the_range_is_told_from_new_values(tmp_path: Path) -> None:
    """A shifted mean with all values in the old range is a drift; negative values are not."""

    def drift(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["batch.mean"] = 0.7

    facts = values_of(record(tmp_path, drift))
    assert facts["batch.within_range"] is True
    assert facts["batch.shift_lasts"] is True
    assert facts["batch.normal"] is False
    assert facts["batch.new_negatives"] is False


def test_labels_against_a_right_model(tmp_path: Path) -> None:
    """Accuracy that falls on the first bad batch, before its update, is the labels' disagreement."""

    def change(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["output.accuracy"] = 0.2

    assert values_of(record(tmp_path, change))["label.disagreement"] == pytest.approx(0.75)


def test_class_shares_are_compared_over_several_batches(tmp_path: Path) -> None:
    """A flood of one class shows as a shift, the noise of single batches does not."""

    def change(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["label.hist"] = [26, 2, 2, 2]

    facts = values_of(record(tmp_path, change))
    assert facts["label.shift"] == pytest.approx(0.56, abs=0.03)
    assert facts["label.normal"] is False


def test_renamed_labels_are_told_from_wrong_ones(tmp_path: Path) -> None:
    """Labels that disagree with the model but go with its answers one to one were renamed."""

    def wrong(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["output.accuracy"], values["output.purity"] = 0.2, 0.4

    def renamed(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["output.accuracy"], values["output.purity"] = 0.2, 0.9

    assert values_of(record(tmp_path / "a", wrong))["label.consistent"] is False
    assert values_of(record(tmp_path / "b", renamed))["label.consistent"] is True


def test_labels_beyond_the_classes(tmp_path: Path) -> None:
    """A label as large as the number of classes, or a first negative one, is out of range."""

    def above(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["label.max"] = 4

    def negative(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step >= ONSET:
            values["label.min"] = -1

    assert values_of(record(tmp_path / "a", bad_loss))["label.out_of_range"] is False
    assert values_of(record(tmp_path / "b", above))["label.out_of_range"] is True
    assert values_of(record(tmp_path / "c", negative))["label.out_of_range"] is True


def test_momentum_that_a_schedule_moves_is_no_change(tmp_path: Path) -> None:
    """A one-cycle schedule moves betas a little in every step; that is not a changed setting."""
    events = tuple(
        Event(
            "optimizer",
            step,
            data={"index": 0, "class": "Adam", "groups": [{"betas": [0.9 + step / 5000, 0.99]}]},
        )
        for step in range(0, ONSET, 2)
    )
    assert values_of(record(tmp_path, bad_loss, events))["optimizer.changed"] == ""


def test_non_finite_gradient_before_the_loss(tmp_path: Path) -> None:
    """A NaN gradient at a step whose loss is finite is known to have come first."""

    def change(step: int, values: dict[str, Any]) -> None:
        if step >= ONSET - 1:
            values["grad.norm"] = math.nan
        if step >= ONSET:
            values["loss"] = math.nan

    facts = values_of(record(tmp_path, change))
    assert facts["grad.nonfinite_first"] is True
    assert facts["loss.first_bad_nonfinite"] is True


def test_scaler_overflow_is_not_called_a_bad_gradient(tmp_path: Path) -> None:
    """A step that the gradient scaler skipped for overflow is its ordinary work."""

    def change(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        values["amp.scale"], values["amp.skipped"] = 65536.0, int(step == ONSET - 2)
        if step == ONSET - 2:
            values["grad.norm"] = math.inf

    assert values_of(record(tmp_path, change))["grad.nonfinite"] is False


def test_changed_optimizer_setting_is_named(tmp_path: Path) -> None:
    """A setting that changed shortly before the onset is named with both values and its lead."""
    groups = [{"lr": 0.1, "betas": [0.9, 0.999], "eps": 1e-8}]
    changed = [{"lr": 0.1, "betas": [0.1, 0.999], "eps": 1e-8}]
    events = (
        Event("optimizer", 0, data={"index": 0, "class": "Adam", "groups": groups}),
        Event("optimizer", ONSET - 3, data={"index": 0, "class": "Adam", "groups": changed}),
    )
    facts = values_of(record(tmp_path, bad_loss, events))
    assert facts["optimizer.changed"] == "beta1 0.9 -> 0.1"
    assert facts["optimizer.change_lead"] == 3
    assert facts["optimizer.unusual"] == "betas[0]=0.1"


def test_a_damaged_checkpoint_is_known_by_its_hash(tmp_path: Path) -> None:
    """A load whose hash differs from the one at saving is reported with its lead."""
    events = (
        Event("checkpoint.save", ONSET - 30, data={"path": "a.pt"}),
        Event("checkpoint.load", ONSET, data={"path": "a.pt", "matches": False}),
    )
    facts = values_of(record(tmp_path, bad_loss, events))
    assert facts["resume.hash_matches"] is False
    assert facts["resume.lead"] == 0
    assert facts["checkpoint.age"] == 30


def test_weights_moved_outside_the_step(tmp_path: Path) -> None:
    """Drift right before the onset counts; a job that clips its weights in every step does so on purpose."""

    def once(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        if step == ONSET:
            values["weight.drift"] = 2.5

    def always(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        values["weight.drift"] = 0.01

    assert values_of(record(tmp_path / "a", once))["weight.drift"] == 2.5
    assert "weight.drift" not in values_of(record(tmp_path / "b", always))


def test_validation_history_before_the_onset(tmp_path: Path) -> None:
    """Evaluations since the best one are counted up to the onset only."""
    levels = [0.6, 0.5, 0.55, 0.6, 0.7, 5.0]
    evals = tuple(Eval(20 * (i + 1), v={"val.loss": v}) for i, v in enumerate(levels))
    facts = values_of(record(tmp_path, bad_loss, evals=evals))
    assert facts["val.epochs_since_best"] == 3
    assert facts["val.rise_before"] == pytest.approx(1.4)
    assert facts["spike.val_jumped"] is True


def test_without_a_spike_only_the_run_is_described(tmp_path: Path) -> None:
    """A healthy run has no fact of a spike."""
    facts = values_of(record(tmp_path), None)
    assert not [name for name in facts if name.startswith("spike.")]
    assert facts["grad.clipped"] is False


def test_a_missing_sensor_leaves_its_facts_unknown(tmp_path: Path) -> None:
    """Evidence that was not taken is unknown, never normal."""

    def change(step: int, values: dict[str, Any]) -> None:
        bad_loss(step, values)
        for name in [n for n in values if n.startswith(("batch.", "update."))]:
            del values[name]

    facts = values_of(record(tmp_path, change))
    assert not [name for name in facts if name.startswith(("batch.", "update."))]


def test_every_fact_is_declared_with_its_type(tmp_path: Path) -> None:
    """No module yields a fact that is not in the registry, or of another type than it says."""
    types: dict[str, tuple[type, ...]] = {"number": (float, int), "bool": (bool,), "text": (str,)}
    for onset in (ONSET, None, 0, 5, LENGTH - 1):
        for name, fact in facts_of(record(tmp_path / str(onset), bad_loss), onset).items():
            kind = specs()[name].kind
            assert isinstance(fact.value, types[kind]), name
            assert isinstance(fact.value, bool) == (kind == "bool"), name
