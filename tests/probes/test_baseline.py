"""When a loss stands out, so that every sensor looks at its step."""

from __future__ import annotations

import math
import random

from spikelore.probes.agent.baseline import Baseline


def test_a_jump_after_a_large_excursion_still_stands_out() -> None:
    """The first excursion's spread is forgotten once the loss has settled again."""
    baseline = Baseline()
    noise = random.Random(0)
    settled = [0.01 + 0.003 * noise.random() for _ in range(200)]
    excursion = [0.003 + 0.1 * math.exp(-step / 40) * (1 + noise.random()) for step in range(200)]
    for loss in settled + excursion:
        baseline.stands_out(loss)
    assert baseline.stands_out(0.03)


def test_noise_about_a_level_seldom_stands_out() -> None:
    """Gaussian noise about a level calls for a closer look on less than one step in a hundred."""
    noise = random.Random(1)
    baseline = Baseline()
    calls = sum(baseline.stands_out(noise.gauss(1.0, 0.2)) for _ in range(5000))
    assert calls < 50


def test_a_loss_that_is_not_finite_always_stands_out() -> None:
    """From the first step on."""
    assert Baseline().stands_out(math.nan)
    assert Baseline().stands_out(math.inf)
