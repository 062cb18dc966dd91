"""Keeps probes within a share of the step time by choosing on which steps each one runs."""

from __future__ import annotations

GENEROUS_STEPS = 50
"""Steps at the start on which everything runs: short jobs need a baseline to be diagnosed."""
GENEROUS_SHARE = 0.25
GENEROUS_SECONDS = 0.005
"""What the generous start may take of a step at most: this share or this time, whichever is more."""
RESERVE_SECONDS = 0.4
"""Time that a job is charged once beyond its share, so that short jobs with fast steps are seen too."""
RESERVE_STEPS = 300
"""Steps over which most of the reserve is spent."""
LEAST_SECONDS = 50e-6
"""What probes may always take of a step: in a step of less than a few milliseconds 1 % is nothing."""
HIDDEN_SHARE = 0.2
"""Part of the allowance kept back for what no clock of the probes sees: calls into them, and the job's data
that they push out of the caches. From paired steps of `bench/overhead.py`."""
ALARM_STEPS = 200
ALARM_FACTOR = 5.0
MAX_PERIOD = 256
_REPLAN = 16
_SMOOTH = 0.3
_SMOOTH_FIXED = 0.05
"""Slower: of sixteen steps most are told in a few operations, and some in many."""


class Budget:
    """Plans the sampled sensors.

    Periods are powers of two and count from step 0, so sensors that run rarely meet on the same steps
    and their values can be set against each other.

    Args:
        share: part of the step time that all probes together may take.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.fixed = 0.0
        """Smoothed seconds a step of what runs on every step."""
        self.step_time = 0.0
        """Smoothed seconds a step, probes included."""
        self.cost: dict[str, float] = {}
        """Smoothed seconds of one run of each sampled sensor."""
        self.period: dict[str, int] = {}
        self.reserve = RESERVE_SECONDS
        """Seconds of the reserve that are left."""
        self._shortest = 1
        self._accounted = 0
        self._alarm_until = -1
        self._start_until = GENEROUS_STEPS

    def restart(self, step: int) -> None:
        """Be generous again from ``step`` on: something new has begun."""
        self._start_until = step + GENEROUS_STEPS

    def alarm(self, step: int) -> None:
        """Spend more from ``step`` on, for a while."""
        self._alarm_until = step + ALARM_STEPS

    def account(
        self, step_time: float | None, spent: float, sampled: dict[str, float], steps: int = 1
    ) -> None:
        """Take in what one step cost, or each of several that were alike.

        Args:
            step_time: seconds of the step, None when unknown.
            spent: seconds of all probes in it.
            sampled: seconds of each sampled sensor that ran.
            steps: how many.
        """
        for name, seconds in sampled.items():
            # The first run loads code and fills caches: it says nothing of the later ones.
            self.cost[name] = _smooth(self.cost[name] or None, seconds) if name in self.cost else 0.0
        self._accounted += steps
        weight = max(1 - (1 - _SMOOTH_FIXED) ** steps, steps / self._accounted)
        fixed = max(0.0, spent - sum(sampled.values()))
        self.fixed += weight * (min(fixed, 16 * self.fixed + 1e-5) - self.fixed if self.fixed else fixed)
        if step_time is not None and sampled:
            over = spent - self._allowance()
            self.reserve = max(0.0, self.reserve - max(0.0, over))
            self.step_time = _smooth(self.step_time or None, step_time)

    def due(self, step: int, names: list[str]) -> set[str]:
        """Return which of the sampled sensors run on ``step``."""
        if step < self._start_until and self._affordable_start(names):
            return set(names)
        if step % _REPLAN == 0 or len(self.period) != len(names):
            self._plan(step, names)
            self._shortest = min(self.period.values(), default=1)
        if step % self._shortest:
            return set()
        return {name for name in names if step % self.period.get(name, 1) == 0}

    def quiet_until(self, step: int) -> int:
        """Return the first step after ``step`` on which a sensor may be due or the plan is made again."""
        stride = min(self._shortest, _REPLAN)
        return (step // stride + 1) * stride if step >= self._start_until else step

    def _affordable_start(self, names: list[str]) -> bool:
        total = sum(self.cost.get(name, 0.0) for name in names)
        return total <= max(GENEROUS_SECONDS, GENEROUS_SHARE * self.step_time)

    def _allowance(self) -> float:
        return max(LEAST_SECONDS, self.share * self.step_time)

    def _plan(self, step: int, names: list[str]) -> None:
        """Give every sensor a fair part of what is left, the cheapest first, and pass on what it leaves."""
        allowance = self._allowance() * (ALARM_FACTOR if step <= self._alarm_until else 1.0)
        if step < self._start_until:
            allowance = max(allowance, GENEROUS_SHARE * self.step_time)
        left = max(0.0, allowance * (1 - HIDDEN_SHARE) - self.fixed) + self.reserve / RESERVE_STEPS
        ordered = sorted(names, key=lambda name: self.cost.get(name, 0.0))
        self.period = {}
        for done, name in enumerate(ordered):
            cost = self.cost.get(name, 0.0)
            fair = left / (len(ordered) - done)
            period = 1
            while period < MAX_PERIOD and cost > fair * period:
                period *= 2
            self.period[name] = period
            left = max(0.0, left - cost / period)


def _smooth(old: float | None, new: float) -> float:
    """Exponential average that follows a single outlier only part of the way."""
    if old is None:
        return new
    return old + _SMOOTH * (min(new, 4 * old + 1e-5) - old)
