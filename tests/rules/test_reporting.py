"""A report that is not what the job did is told from a fault, and from healthy jobs that look like it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from spikelore.probes.evidence import Eval, Header, RunDirectory, RunManifest, Step, Value, encode
from spikelore.probes.evidence.reader import RunEvidence
from spikelore.probes.importers import open_run
from spikelore.rules.diagnosing import diagnose
from spikelore.rules.diagnosis import Diagnosis

ARTEFACT = "pattern.reporting-artefact"
Row = dict[str, Value]


def falling(count: int, seed: int = 0, last: float = 0.6) -> list[float]:
    """A loss from 2.4 down to ``last`` with 2 % noise."""
    random = np.random.default_rng(seed)
    return [float(v) for v in np.geomspace(2.4, last, count) * np.exp(0.02 * random.standard_normal(count))]


def logged(path: Path, rows: Iterable[Row]) -> Diagnosis:
    """Return the diagnosis of a log of JSON lines."""
    log = path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return diagnose(open_run(log))


def recorded(path: Path, steps: Iterable[Row], evals: Iterable[tuple[int, float]] = ()) -> Diagnosis:
    """Return the diagnosis of a run recorded by probes."""
    run = RunDirectory.create(path / "run", RunManifest("r", 0.0))
    records = [Header(1, "r"), *(Step(n, epoch=n / 20, v=v) for n, v in enumerate(steps))]
    records += [Eval(step, float(step), step / 20, {"val.loss": loss}) for step, loss in evals]
    run.new_evidence_file(0).write_bytes(b"".join(encode(record) for record in records))
    return diagnose(RunEvidence.load(run))


def roots(diagnosis: Diagnosis) -> list[str]:
    return [cause.id for cause in diagnosis.causes if cause.role == "root"]


def hugging_face(losses: Iterable[float], **others: Value) -> list[Row]:
    return [
        {"step": 10 * n, "loss": round(v, 4), "learning_rate": 1e-4, **others} for n, v in enumerate(losses)
    ]


def test_losses_of_zero_that_a_trainer_put_for_nan_are_no_success(tmp_path: Path) -> None:
    found = logged(tmp_path, hugging_face([*falling(60), *[0.0] * 20]))
    assert (found.verdict, found.pattern) == ("pattern", ARTEFACT)
    assert roots(found) == ["numerics.nan-filtered"]
    assert any("logging_nan_inf_filter" in (fix.code or "") for fix in found.causes[0].fixes)


def test_zeros_beside_gradients_that_are_not_finite_stay_an_incident(tmp_path: Path) -> None:
    rows = hugging_face([*falling(60), *[0.0] * 20])
    for place, row in enumerate(rows):
        row["grad_norm"] = 1.5 + 0.01 * (place % 7) if place < 60 else float("nan")
    found = logged(tmp_path, rows)
    assert (found.verdict, found.pattern) == ("spike", "pattern.nan")


@pytest.mark.parametrize(
    "losses",
    [
        [*np.geomspace(2.4, 1e-4, 80).tolist(), *[0.0] * 20],
        [*falling(40), *[0.0, 0.31, 0.0, 0.22, 0.0, 0.05] * 4, *[0.0] * 20],
    ],
    ids=["learnt away", "a hinge that holds"],
)
def test_a_loss_that_reaches_zero_by_itself_is_none_of_it(tmp_path: Path, losses: list[float]) -> None:
    assert logged(tmp_path, hugging_face(losses)).pattern != ARTEFACT


def test_a_loss_of_zero_with_finite_gradients_is_none_of_it(tmp_path: Path) -> None:
    rows = hugging_face([*falling(60), *[0.0] * 20], grad_norm=0.8)
    assert logged(tmp_path, rows).pattern != ARTEFACT


def training(losses: list[float], moves: float = 0.01) -> list[Row]:
    return [{"loss": v, "lr": 0.1, "update.norm": moves} for v in losses]


def test_a_validation_that_repeats_itself_is_stale(tmp_path: Path) -> None:
    found = recorded(tmp_path, training(falling(200)), [(n, 2.3841) for n in range(20, 200, 20)])
    assert found.pattern == ARTEFACT
    assert roots(found) == ["strategy.stale-evaluation"]
    assert "20" in found.causes[0].fixes[0].text


@pytest.mark.parametrize("case", ["frozen", "falls", "settled", "held", "again without training"])
def test_validations_that_may_well_be_equal_are_not_stale(tmp_path: Path, case: str) -> None:
    """Weights that do not move, a loss that falls, one that is rounded, or written again until the next."""
    losses, at = falling(200), range(20, 200, 20)
    values = {
        "frozen": [2.3841] * 9,
        "falls": falling(9, seed=3),
        "settled": [1.21, 0.83, 0.64, 0.62, 0.61, 0.61, 0.61, 0.6, 0.6],
        "held": [v for v in falling(3, seed=3) for _ in range(3)],
        "again without training": [v for v in falling(5, seed=3) for _ in range(2)][:9],
    }[case]
    steps = [20 * (1 + n // 2) for n in range(9)] if case == "again without training" else list(at)
    found = recorded(
        tmp_path, training(losses, 0.0 if case == "frozen" else 0.01), list(zip(steps, values, strict=True))
    )
    assert found.pattern != ARTEFACT


def test_a_second_attempt_behind_the_first_is_no_spike(tmp_path: Path) -> None:
    """The counter goes back to the start, and the losses are those that these steps had before."""
    rows = [{"step": n, "loss": v} for seed in (0, 1) for n, v in enumerate(falling(150, seed))]
    found = logged(tmp_path, rows)
    assert found.pattern == ARTEFACT
    assert roots(found) == ["environment.curves-joined"]
    assert found.reason


def test_a_stretch_that_is_logged_twice_is_no_spike(tmp_path: Path) -> None:
    """A job that went back and whose logger counts on: the same losses come again one by one."""
    losses = falling(200)
    found = recorded(tmp_path, training([*losses, *losses[60:]]))
    assert found.pattern == ARTEFACT


def test_a_schedule_that_restarts_and_a_real_jump_are_none_of_it(tmp_path: Path) -> None:
    for name, after in (("jump", falling(80, 5, 2.2)), ("restart", falling(200, 7, 0.55))):
        (tmp_path / name).mkdir()
        assert recorded(tmp_path / name, training([*falling(200), *after])).pattern != ARTEFACT


def test_another_run_in_the_same_file_is_none_of_it(tmp_path: Path) -> None:
    """Where the second one goes another way, its curve is not the first one again."""
    rows: list[Row] = [{"step": n, "loss": v} for n, v in enumerate(falling(150))]
    rows += [{"step": n, "loss": 5 * v} for n, v in enumerate(falling(150, 1))]
    assert logged(tmp_path, rows).pattern != ARTEFACT
