"""What the detector found in a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["spike", "pattern", "healthy", "insufficient"]

OVERFITTING = "pattern.overfitting"
SLOW_DIVERGENCE = "pattern.slow-divergence"
TRANSIENT_SPIKE = "pattern.transient-spike"
RESTART_BUMP = "pattern.restart-bump"
NOISE = "pattern.noise"
NAN = "pattern.nan"
VALIDATION_SHIFT = "pattern.validation-shift"
PATTERNS = (OVERFITTING, SLOW_DIVERGENCE, TRANSIENT_SPIKE, RESTART_BUMP, NOISE, NAN, VALIDATION_SHIFT)


@dataclass(frozen=True)
class Onset:
    """The first bad record.

    Attributes:
        step: its step.
        index: its position in the curve that shows it (training where that jumped, else validation).
        epoch: None where the curve has no epochs.
        batch: filled by callers who know which batch the step read.
        series: which curve that is, ``train`` or ``val``.
    """

    step: int
    index: int
    epoch: float | None = None
    batch: int | None = None
    series: Literal["train", "val"] = "train"


@dataclass(frozen=True)
class Change:
    """A level before and after the onset.

    Attributes:
        before: robust level before it; None where there was none.
        after: robust level of the first points from it on; NaN or infinite where the loss was.
        ratio: ``after / before``; None where the loss is negative or not finite.
    """

    before: float | None
    after: float | None
    ratio: float | None


@dataclass(frozen=True)
class Finding:
    """The verdict on a run, with where and how much.

    ``verdict`` and ``pattern`` go together as follows. A *spike* has no pattern, but ``pattern.nan``
    where the loss ended up not finite. A *pattern* names what else happened; with a transient spike, a
    restart bump or a validation shift the onset and the changes are filled like a spike's.

    Attributes:
        verdict: spike, pattern, healthy or insufficient.
        pattern: one of `PATTERNS`, or None.
        onset: first bad record; for gradual patterns the record where the rise began.
        train: level of the training loss before and after; None where it has no part in it.
        val: the same for validation.
        recovered: whether the loss came back.
        records: bad records of a spike that came back; 0 for all else.
        nonfinite: whether the loss was NaN or infinite.
        reset: ``start`` when the loss went back to the level of the first step, ``chance`` when to the
            logarithm of a whole number of classes; None otherwise.
        reason: one sentence in English.
        reason_zh: the same in Chinese.
    """

    verdict: Verdict
    pattern: str | None = None
    onset: Onset | None = None
    train: Change | None = None
    val: Change | None = None
    recovered: bool = False
    nonfinite: bool = False
    records: int = 0
    reset: Literal["start", "chance"] | None = None
    reason: str = ""
    reason_zh: str = ""

    @property
    def has_spike(self) -> bool:
        """Whether a jump of the loss is part of it, so that a diagnosis shows its spike object."""
        return self.verdict == "spike" or self.pattern in {TRANSIENT_SPIKE, RESTART_BUMP, VALIDATION_SHIFT}

    def reason_in(self, lang: str) -> str:
        """Return the sentence in ``en`` or ``zh``."""
        return self.reason_zh if lang == "zh" else self.reason
