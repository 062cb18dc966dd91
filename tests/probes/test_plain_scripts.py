"""Scripts of five styles train under probes exactly as without, and their evidence is what they print."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from .jobs import Job, plain, probed, script

STYLES = ["flat", "classes", "accumulation", "workers", "autocast"]


@pytest.fixture(scope="module", params=STYLES)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Job]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    return plain(folder, script(request.param)), probed(folder, script(request.param))


def test_the_job_behaves_as_without_probes(pair: tuple[Job, Job]) -> None:
    """Output, exit code, final weights and the state of the random generator are identical."""
    without, under = pair
    assert under.code == without.code == 0
    assert under.stdout == without.stdout
    assert under.stderr == without.stderr
    assert "weights" in under.stdout


def test_every_loss_printed_is_recorded(pair: tuple[Job, Job]) -> None:
    """The recorded loss of every step equals the printed one to float32, and so does the validation loss."""
    job = pair[1]
    recorded = job.evidence.primary.series("loss")
    assert len(job.losses) >= 10
    assert recorded.step.tolist() == list(range(len(job.losses)))
    assert recorded.value.astype(np.float32).tolist() == np.array(job.losses, dtype=np.float32).tolist()
    validation = job.evidence.primary.series("val.loss", "eval").value
    assert validation == pytest.approx(job.validation, rel=1e-6)


def test_nothing_went_wrong_on_board(pair: tuple[Job, Job]) -> None:
    """One evidence file, no damaged line, no probe switched off, and every sampled probe left values."""
    job = pair[1]
    assert job.files == ["rank-00000.jsonl"]
    rank = job.evidence.primary
    assert rank.damaged == 0
    assert rank.events_named("probe.disabled") == []
    expected = {
        "grad.norm",
        "grad.max",
        "weight.norm",
        "update.norm",
        "batch.mean",
        "batch.hash",
        "label.count",
    }
    assert expected <= set(rank.names())
    manifest = job.evidence.manifest
    assert (manifest.state, manifest.exit_code, manifest.notes) == ("finished", 0, [])
    assert manifest.versions["torch"]
