"""A change of level shows through noise in which no single point stands out."""

from __future__ import annotations

import numpy as np
import pytest
from spikelore.rules.detector import Curve, assess


def restless(seed: int, length: int = 600, spread: float = 1.2) -> np.ndarray:
    random = np.random.default_rng(seed)
    return 0.02 * np.exp(spread * random.standard_normal(length))


@pytest.mark.parametrize("seed", range(12))
def test_a_lasting_change_of_level_is_dated(seed: int) -> None:
    """Twenty-five times the level is found and dated to a few records where batches differ threefold."""
    values = restless(seed)
    values[400:] = 0.5 * np.exp(0.2 * np.random.default_rng(seed + 99).standard_normal(200))
    finding = assess(Curve.of(values))
    assert finding.verdict == "spike"
    assert finding.onset is not None
    assert abs(finding.onset.step - 400) <= 2


@pytest.mark.parametrize("seed", range(25))
def test_restless_batches_alone_are_no_spike(seed: int) -> None:
    """The same noise without a change of level is noise."""
    assert assess(Curve.of(restless(seed, 600))).verdict != "spike"
    assert assess(Curve.of(restless(seed, 2000))).verdict != "spike"


def test_a_rate_that_kept_its_course_speaks_against_a_restart() -> None:
    """A jump back to the level of the first step is a restart only where the rate may have been raised."""
    fall = 2.3 * np.exp(-np.arange(300) / 60) + 0.1
    values = np.concatenate([fall, fall[:120]])
    constant = Curve.of(np.full(420, 0.1))
    assert assess(Curve.of(values), lr=constant).pattern != "pattern.restart-bump"
    assert assess(Curve.of(values)).pattern == "pattern.restart-bump"


@pytest.mark.parametrize("first", [2.0, 19.0, 300.0])
def test_a_first_point_far_above_all_before_is_the_onset_however_high_the_next_ones(first: float) -> None:
    """A loss forty times its level is no noise because a thousand times follow."""
    calm = 0.4 + 0.05 * np.random.default_rng(0).standard_normal(480)
    values = np.concatenate([calm, [first, 487.0, 1537.0, 935.0, 372.0], np.geomspace(184, 36, 200)])
    finding = assess(Curve.of(values))
    assert finding.onset is not None
    assert finding.onset.step == 480


def calm(kind: str, length: int, noise: float, seed: int) -> np.ndarray:
    steps = np.arange(length)
    curves = {"power": 4 * (steps + 10.0) ** -0.25 + 0.8, "flat": 2.0 + 0.3 * np.exp(-steps / 50)}
    return curves[kind] * np.exp(noise * np.random.default_rng(seed).standard_normal(length))


@pytest.mark.parametrize("kind", ["power", "flat"])
@pytest.mark.parametrize("seed", range(6))
def test_a_low_jump_on_a_calm_curve_is_a_spike_and_no_slow_rise(kind: str, seed: int) -> None:
    """Language models jump by half of their loss; what is sudden is no drift, however low."""
    values = calm(kind, 600, 0.04, seed)
    assert assess(Curve.of(values)).verdict != "spike"
    values[360:] *= 1.5
    finding = assess(Curve.of(values))
    assert finding.verdict == "spike"
    assert finding.onset is not None
    assert abs(finding.onset.step - 360) <= 1


def test_of_several_jumps_that_passed_the_highest_is_told() -> None:
    """A hump of the first steps is not the story of a run that later leapt thirtyfold and came back."""
    random = np.random.default_rng(3)
    values = 0.5 * np.exp(0.03 * random.standard_normal(700))
    values[:40] *= np.linspace(4, 1, 40)
    values[12:16] *= 2.5
    values[450:470] *= 30
    finding = assess(Curve.of(values))
    assert finding.pattern == "pattern.transient-spike"
    assert finding.onset is not None
    assert abs(finding.onset.step - 450) <= 1
