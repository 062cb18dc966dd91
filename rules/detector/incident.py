"""An alarmed incident: goes on until the loss is back, or has settled at another level."""

from __future__ import annotations

from .baseline import Baseline
from .excursions import JUMP, RETURNED

PLATEAU = 50
"""Points after which a steady new level counts as normal."""
AGAIN = 20
"""Points after an incident within which the next one is part of it."""


class Incident:
    """Watches the points after an alarm.

    Args:
        baseline: of the run; tells what counts as back.
        before: level before the onset.

    Attributes:
        over: whether it ended.
        calm: points since its end.
        settled: points of the new level that it ended at; empty when the loss came back.
    """

    def __init__(self, baseline: Baseline, before: float) -> None:
        self._baseline = baseline
        self._before = before
        self._good = 0
        self._length = 0
        self._recent: list[float] = []
        self.over = False
        self.calm = 0
        self.settled: list[float] = []

    @property
    def goes_on(self) -> bool:
        """Whether an alarm now belongs to this incident, though it seemed over."""
        return self.over and self.calm < max(AGAIN, self._length)

    def reopen(self) -> None:
        """Take it up again."""
        self.over, self.calm, self._good, self._recent = False, 0, 0, []

    def push_nonfinite(self) -> None:
        """Take in a loss that is not finite."""
        self._good = 0
        self._length += 1

    def push(self, loss: float) -> bool:
        """Take in one finite loss; return whether the incident is over with it."""
        self._length += 1
        self._recent = [*self._recent[-PLATEAU + 1 :], loss]
        tolerance = max(RETURNED, min(2 * self._baseline.spread, JUMP))
        back = not self._baseline.height(loss, self._before) > tolerance
        self._good = self._good + 1 if back else 0
        if self._good >= min(max(3, self._length // 4), PLATEAU):
            self.over, self.settled = True, []
        elif len(self._recent) >= PLATEAU and self._steady():
            self.over, self.settled = True, self._recent
        return self.over

    def _steady(self) -> bool:
        half = PLATEAU // 2
        early, late = sorted(self._recent[:half]), sorted(self._recent[half:])
        allowed = max(JUMP / 2, 2 * self._baseline.spread)
        drift = abs(self._baseline.height(late[half // 2], early[half // 2]))
        return drift < allowed and self._baseline.height(late[-2], late[1]) < 4 * allowed
