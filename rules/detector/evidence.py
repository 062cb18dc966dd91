"""How sure is it that a run of bad points is a new level and not more of the usual outliers?"""

from __future__ import annotations

import math

STAYS = 0.85
"""Share of points that stand out while the level is really up."""
CERTAIN = 12.4
"""Log odds at which an alarm is raised: about one chance pile-up in 240,000 starts of an excursion."""
_PRIOR = 0.05, 10.0
"""Outliers and points that a run is credited with before its first: two bad epochs suffice after twenty."""
_SINGLE = 64
"""Points up to which they may be averages over epochs, of which two suffice; single batches take three."""
_MEMORY = 4096
_RARE = 0.02


class Outliers:
    """A sequential probability ratio test against the outlier rate of the run itself.

    The null hypothesis is the run's own past: points stand out with the rate seen so far, and follow
    each other with the rate at which they did so far. The alternative is a level that is up. The sum of
    log likelihood ratios decides (Wald, 1945).
    """

    __slots__ = ("_bad", "_certainty", "_followed", "_last", "_pending", "_points", "batches")

    def __init__(self) -> None:
        self.batches = False
        """Whether the points are known to be parts of an epoch and not averages over whole ones."""
        self._points = 0.0
        self._bad = 0.0
        self._followed = 0.0
        self._certainty = 0.0
        self._last = False
        self._pending: list[bool] = []

    @property
    def certain(self) -> bool:
        """Whether the level is up beyond doubt."""
        least = 3 if self.batches or self._points > _SINGLE else 2
        return self._certainty >= CERTAIN and sum(self._pending) >= least

    @property
    def refuted(self) -> bool:
        """Whether the excursion under test is over."""
        return self._certainty <= 0

    @property
    def rate(self) -> float:
        """Share of points that stood out so far."""
        return (self._bad + _PRIOR[0]) / (self._points + _PRIOR[1])

    @property
    def rare(self) -> bool:
        """Whether a single outlier is worth a warning in this run."""
        return self.rate < _RARE

    def add(self, *, bad: bool) -> None:
        """Count one point of the normal course."""
        self._points += 1
        self._bad += bad
        self._followed += bad and self._last
        self._last = bad
        if self._points > _MEMORY:
            self._points, self._bad, self._followed = self._points / 2, self._bad / 2, self._followed / 2

    def weigh(self, *, bad: bool) -> None:
        """Take in one point of an excursion."""
        rate = self._again if self._pending and self._pending[-1] else self.rate
        rate = min(rate, 0.6)
        self._pending.append(bad)
        self._certainty += math.log(STAYS / rate) if bad else math.log((1 - STAYS) / (1 - rate))
        self._certainty = max(self._certainty, 0.0)

    @property
    def _again(self) -> float:
        """Rate at which an outlier follows another: as if independent, until they were seen to cluster."""
        return max(self.rate, (self._followed + 2 * self.rate) / (self._bad + 2))

    def settle(self) -> None:
        """The excursion was noise: its points are part of the normal course."""
        for bad in self._pending:
            self.add(bad=bad)
        self.forget()

    def forget(self) -> None:
        """The excursion was an incident: it says nothing about the normal course."""
        self._pending = []
        self._certainty = 0.0
        self._last = False
