"""Parts of a console log that are all validation, and validation losses that a progress bar only repeats."""

from __future__ import annotations

import re
from typing import Any

from .counters import Counted
from .names import guess
from .vocabulary import TRAINING

_HEADING = re.compile(
    r"^\W*(?:(?:start(?:ing)?|begin(?:ning)?|running|doing|now)\W+)?"
    r"(?P<split>train(?:ing)?|eval(?:uation|uating)?|valid(?:ation|ating)?)\b(?:\W+[A-Za-z]+){0,2}\W*"
    r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\W*)?$",
    re.IGNORECASE,
)


class Section:
    """Follows headings such as ``> TRAINING`` and ``> EVALUATION`` that stand on lines of their own.

    Only headings that alternate are trusted: a script that says ``Validating...`` need not say when it is
    done. An epoch, or a step that goes on where training was, ends a validation part as well.

    Attributes:
        split: ``val`` in a validation part, else empty.
    """

    def __init__(self) -> None:
        self.split = ""
        self._trained = False
        self._step: float | None = None

    def heading(self, line: str) -> bool:
        """Take a line without numbers; return whether it is a heading."""
        found = _HEADING.match(line[:200])
        if not found:
            return False
        training = found["split"].lower() in TRAINING
        self.split = "val" if self._trained and not training else ""
        self._trained = training
        return True

    def trained(self, step: float) -> None:
        """Note where training stands."""
        self._step = step

    def ended_by(self, found: Counted) -> bool:
        """Tell whether a line belongs to training again, and end the part if so."""
        goes_on = found.step is not None and self._step is not None and found.step > self._step
        if not self.split or not (goes_on or found.epoch is not None):
            return False
        self.split = ""
        return True


class Repeats:
    """Leaves out the validation loss that a bar of training shows until there is a new one."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[float, float]] = {}

    def left_out(self, found: Counted) -> dict[str, Any]:
        """Return a line's values without those that the bar only repeats."""
        if not found.bar or found.epoch is None or "val" not in found.splits or len(found.splits) < 2:
            return dict(found.values)
        return {name: value for name, value in found.values.items() if self._is_new(name, value, found.epoch)}

    def _is_new(self, name: str, value: float, epoch: float) -> bool:
        if guess(name).split != "val":
            return True
        last, seen = self._shown.get(name, (None, 0.0))
        # What an epoch ends with is shown until the next one ends; then it was measured again, if equal.
        if value == last and epoch - seen <= 1:
            return False
        self._shown[name] = value, epoch
        return True
