"""The budget decides on which steps each sensor runs."""

from __future__ import annotations

import pytest
from spikelore.probes.budget import (
    ALARM_FACTOR,
    ALARM_STEPS,
    GENEROUS_STEPS,
    LEAST_SECONDS,
    MAX_PERIOD,
    Budget,
)

COSTS = {"norms": 200e-6, "hashes": 350e-6, "outputs": 1600e-6, "mode": 5e-6}
NAMES = list(COSTS)
FIXED = 40e-6
STEPS = 4096


def spending(step_time: float, *, alarm: bool = False, share: float = 0.01) -> tuple[float, dict[str, int]]:
    """Return (seconds a step, runs of each sensor) in the steady state of a loop with fixed costs."""
    budget = Budget(share)
    spent, runs, counted = 0.0, dict.fromkeys(NAMES, 0), 0
    due = set(NAMES)
    for step in range(STEPS):
        if alarm and step % ALARM_STEPS == 0:
            budget.alarm(step)
        cost = {name: COSTS[name] for name in due}
        total = FIXED + sum(cost.values())
        budget.account(step_time + total, total, cost)
        if step == STEPS // 2:
            budget.reserve = 0.0
        if step > STEPS * 3 // 4:
            spent += total
            counted += 1
            for name in due:
                runs[name] += 1
        due = budget.due(step + 1, NAMES)
    return spent / counted, runs


@pytest.mark.parametrize("step_time", [0.02, 0.08, 0.5])
def test_probes_stay_within_their_share_of_the_step(step_time: float) -> None:
    assert spending(step_time)[0] <= 0.01 * step_time


def test_in_fast_steps_the_least_allowance_holds() -> None:
    dearest_at_the_longest_period = sum(COSTS.values()) / MAX_PERIOD
    assert spending(0.002)[0] <= LEAST_SECONDS + dearest_at_the_longest_period


def test_a_slower_step_is_looked_at_more_often() -> None:
    assert spending(0.5)[1]["outputs"] > spending(0.05)[1]["outputs"]


def test_no_sensor_is_given_up() -> None:
    assert all(spending(0.002)[1].values())


def test_an_alarm_may_cost_more_but_not_without_limit() -> None:
    calm, alarmed = spending(0.08)[0], spending(0.08, alarm=True)[0]
    assert calm < alarmed <= 0.01 * 0.08 * ALARM_FACTOR


def test_sensors_that_run_seldom_run_on_the_same_steps() -> None:
    budget = Budget(0.01)
    budget.reserve = 0.0
    budget.account(0.02, FIXED, {})
    for _ in range(4):
        budget.account(0.02, FIXED + sum(COSTS.values()), dict(COSTS))
    budget.reserve = 0.0
    for step in range(GENEROUS_STEPS + 16, 2048):
        due = budget.due(step, NAMES)
        seldom = max(due, key=lambda name: budget.period.get(name, 1), default=None)
        if seldom is not None:
            assert due >= {name for name in NAMES if budget.period[name] <= budget.period[seldom]}
