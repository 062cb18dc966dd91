"""What validation adds to a verdict, and what it must not hide."""

from __future__ import annotations

import numpy as np
from spikelore.rules.detector import Curve, assess


def test_a_jump_of_training_comes_before_the_nan_that_validation_ends_in() -> None:
    """The onset is where training jumped, though validation became NaN thousands of steps later."""
    random = np.random.default_rng(0)
    train = np.concatenate([6 + 20 * np.exp(-np.arange(60) / 8), np.full(40, 40.0)])
    train *= np.exp(0.05 * random.standard_normal(100))
    val = Curve.of([28.0, 3358.0, 3358.0, 3358.0, np.nan, np.nan], [1, 1785, 3563, 5331, 7068, 8831])
    finding = assess(Curve.of(train), val)
    assert (finding.verdict, finding.pattern, finding.nonfinite) == ("spike", "pattern.nan", True)
    assert finding.onset is not None
    assert (finding.onset.step, finding.onset.series) == (60, "train")
    assert "7068" in finding.reason


def test_validation_that_ends_as_nan_alone_is_dated_by_itself() -> None:
    """Where training is calm, the first validation that is no number is the onset."""
    train = Curve.of(1 + np.exp(-np.arange(100) / 20))
    finding = assess(train, Curve.of([2.0, 1.5, 1.2, np.nan, np.nan], [0, 20, 40, 60, 80]))
    assert finding.onset is not None
    assert (finding.verdict, finding.onset.step, finding.onset.series) == ("spike", 60, "val")
