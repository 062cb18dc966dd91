"""What moves before the loss does is told as it happens, and nothing else is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikelore.rules.detector.early import WINDOW, Climb, EarlyWarnings, Fall, Precursor, Rise, precursors

Values = list[tuple[int, dict[str, object]]]


def told(values: list[float], kind: type[Rise | Fall | Climb] = Rise) -> list[Precursor]:
    followed = kind("q")
    found = (followed.push(step, value) for step, value in enumerate(values))
    return [precursor for precursor in found if precursor is not None]


def noisy(level: np.ndarray, spread: float, seed: int = 0) -> list[float]:
    noise = np.random.default_rng(seed).normal(0.0, spread, len(level))
    return list(level * np.exp(noise))


def test_a_norm_that_grows_is_told_at_its_third_value_outside() -> None:
    values = [*noisy(np.ones(100), 0.1), 4.0, 5.0, 6.0, 7.0]
    (found,) = told(values)
    assert (found.first, found.step) == (100, 102)
    assert found.before == pytest.approx(1.0, rel=0.1)
    assert found.value == 6.0


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("spread", [0.05, 0.3, 0.8])
def test_noise_of_any_size_is_no_news(seed: int, spread: float) -> None:
    assert not told(noisy(np.ones(3000), spread, seed))


@pytest.mark.parametrize(
    "level",
    [
        np.geomspace(10, 0.01, 1500),
        np.geomspace(0.1, 3, 1500),
        1 + 0.6 * np.sin(np.linspace(0, 60, 1500)),
        np.where(np.arange(1500) % 300 < 150, 1.0, 2.0),
    ],
    ids=["falls", "climbs slowly", "swings", "changes twofold"],
)
def test_a_level_that_goes_its_way_is_no_news(level: np.ndarray) -> None:
    assert not told(noisy(level, 0.15))


def test_single_bad_batches_are_no_news() -> None:
    values = np.array(noisy(np.ones(2000), 0.1))
    values[::97] *= 30
    values[1::97] *= 30
    assert not told(list(values))


def test_a_level_that_stays_up_is_told_once() -> None:
    values = noisy(np.r_[np.ones(200), np.full(400, 8.0)], 0.1)
    assert len(told(values)) == 1


def test_what_passed_without_harm_raises_the_bar() -> None:
    """The same short excursion again is no news, one far above it is."""
    bump = [5.0, 5.0, 5.0, 5.0]
    calm = noisy(np.ones(60), 0.05)
    assert len(told([*calm, *bump, *calm, *bump, *calm])) == 1
    assert len(told([*calm, *bump, *calm, *[40.0] * 4])) == 2


def test_a_loss_scale_that_only_falls_is_told() -> None:
    settled = [65536.0] * 50
    falling = [65536.0 / 2**n for n in range(1, 9)]
    (found,) = told([*settled, *falling], Fall)
    assert (found.first, found.step, found.value) == (50, 55, 1024.0)


@pytest.mark.parametrize(
    "values",
    [
        [65536.0 / 2**n for n in range(12)],
        [v for n in range(40) for v in [65536.0] * 20 + [32768.0] * 20],
        [2.0 ** (16 - n // 10) for n in range(100)],
    ],
    ids=["the search at the start", "halved and regrown", "halved at intervals"],
)
def test_a_loss_scale_that_finds_its_value_is_no_news(values: list[float]) -> None:
    assert not told(values, Fall)


def test_updates_that_grow_with_the_rate_are_no_news() -> None:
    """A warm restart raises the rate tenfold, and each update with it."""
    rates = np.r_[np.geomspace(0.1, 0.001, 200), np.full(50, 0.1)]
    steps: Values = [(n, {"lr": float(r), "update.norm": float(5 * r)}) for n, r in enumerate(rates)]
    assert not precursors(steps, 250)
    steps += [(250 + n, {"lr": 0.1, "update.norm": 5.0}) for n in range(4)]
    assert [p.quantity for p in precursors(steps, 300)] == ["update.norm"]


def loss_curve(last: float, seed: int = 0) -> list[float]:
    """A noisy level of 1 that climbs to another over 40 steps from step 300 on, and jumps at 340."""
    level = np.r_[np.ones(300), np.linspace(1, last, 40), np.full(20, 5.0)]
    return noisy(level, 0.05, seed)


@pytest.mark.parametrize("seed", range(5))
def test_a_loss_that_climbs_before_it_jumps_is_told_afterwards(seed: int) -> None:
    """In the diagnosis only: while it runs, a climb that has not jumped is no news."""
    steps: Values = [(step, {"loss": value}) for step, value in enumerate(loss_curve(1.5, seed))]
    (found,) = precursors(steps, 340)
    assert found.quantity == "loss"
    assert 300 <= found.step < 340
    assert 290 <= found.first <= found.step
    assert found.before == pytest.approx(1.0, abs=0.05)
    watched = EarlyWarnings()
    assert not [told for step, values in steps for told in watched.push(step, values)]


@pytest.mark.parametrize("seed", range(20))
def test_a_steady_or_falling_loss_does_not_climb(seed: int) -> None:
    assert not precursors(list(enumerate({"loss": value} for value in loss_curve(1.0, seed))), 340)
    falling = noisy(np.geomspace(2, 0.1, 1000), 0.1, seed)
    assert not precursors(list(enumerate({"loss": value} for value in falling)), 1000)


def test_a_few_bad_batches_make_no_climb() -> None:
    values = noisy(np.ones(400), 0.05)
    values[100::40] = [50.0] * len(values[100::40])
    assert not told(values, Climb)


def test_what_has_come_back_before_the_jump_is_left_out() -> None:
    high = [5.0] * 20
    steps = list(enumerate({"grad.norm": v} for v in [*noisy(np.ones(60), 0.1), *high, *[1.0] * 10]))
    assert precursors(steps, 80)
    assert not precursors(steps, 90)


def test_what_grew_while_the_network_began_to_learn_is_no_precursor() -> None:
    values = noisy(np.r_[np.full(25, 0.16), np.full(345, 0.8)], 0.02)
    steps: Values = [(step, {"act.norm": value}) for step, value in enumerate(values)]
    assert not precursors(steps, 370)


def test_nothing_from_the_onset_on_is_looked_at() -> None:
    steps: Values = [(n, {"grad.norm": 1.0 + 0.1 * (n % 3)}) for n in range(60)]
    steps += [(60 + n, {"grad.norm": 50.0}) for n in range(10)]
    assert not precursors(steps, 62)
    (found,) = precursors(steps, 70)
    assert found.step == 62


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.floats(), st.integers(-5, 5)), max_size=3 * WINDOW))
def test_any_numbers_are_taken(values: list[float]) -> None:
    """Zeros, negative and non-finite values too; and a step's answer never depends on what follows."""

    def every(values: list[float]) -> list[Precursor]:
        followed = EarlyWarnings(live=False)
        names = ("grad.norm", "amp.scale", "loss")
        return [p for n, v in enumerate(values) for p in followed.push(n, dict.fromkeys(names, v))]

    found, half = every(values), len(values) // 2
    before = every(values[:half])
    assert [repr(p) for p in found if p.step < half] == [repr(p) for p in before]
    assert all(math.isfinite(p.before) for p in found if p.quantity == "grad.norm")
