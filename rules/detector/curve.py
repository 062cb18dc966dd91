"""A loss curve, and how far apart two of its levels are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from .robust import LARGEST, FloatArray, tame

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_TINY = 1e-300
_ENOUGH = 16
"""Values from which rounding can be told from chance."""

IntArray: TypeAlias = "NDArray[np.int64]"


class SeriesLike(Protocol):
    """What `Curve.from_series` takes: `probes.evidence.reader.Series` and its like."""

    @property
    def step(self) -> IntArray: ...  # noqa: D102 - named by the protocol
    @property
    def value(self) -> FloatArray: ...  # noqa: D102
    @property
    def epoch(self) -> FloatArray: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class Curve:
    """One quantity over the records of a run, in the order they were written.

    Attributes:
        step: int64 [n]. Steps that repeat or go back are tolerated: time is the order of the records.
        value: float64 [n]; NaN and infinities are measurements.
        epoch: float64 [n], NaN where unknown; None when no record has one.
    """

    step: IntArray
    value: FloatArray
    epoch: FloatArray | None = None

    def __post_init__(self) -> None:
        lengths = {len(self.step), len(self.value)} | ({len(self.epoch)} if self.epoch is not None else set())
        if len(lengths) > 1:
            raise ValueError(
                f"a curve needs as many steps and epochs as values, got lengths {sorted(lengths)}"
            )

    @classmethod
    def of(cls, value: ArrayLike, step: ArrayLike | None = None, epoch: ArrayLike | None = None) -> Curve:
        """Return a curve of plain sequences; steps count from 0 where not given.

        Raises:
            ValueError: the lengths differ.
        """
        values = np.atleast_1d(np.asarray(value, dtype=np.float64))
        steps = np.arange(len(values)) if step is None else np.atleast_1d(np.asarray(step))
        epochs = None if epoch is None else np.atleast_1d(np.asarray(epoch, dtype=np.float64))
        return cls(steps.astype(np.int64), values, epochs)

    @classmethod
    def from_series(cls, series: SeriesLike) -> Curve:
        """Return the curve of a quantity read from evidence."""
        return cls(series.step, series.value, series.epoch if np.isfinite(series.epoch).any() else None)

    def __len__(self) -> int:
        return len(self.value)

    @cached_property
    def finite(self) -> Curve:
        """The records with a finite value; values of absurd size are brought within bounds."""
        with np.errstate(invalid="ignore"):
            mask = np.abs(self.value) <= LARGEST
        if mask.all():
            return self
        mask = np.isfinite(self.value)
        epoch = None if self.epoch is None else self.epoch[mask]
        return Curve(self.step[mask], tame(self.value[mask]), epoch)

    def epoch_at(self, index: int) -> float | None:
        """Return the epoch of one record, None where unknown."""
        if self.epoch is None or not math.isfinite(self.epoch[index]):
            return None
        return float(self.epoch[index])


@dataclass(frozen=True)
class Scale:
    """Measures how high one level stands above another, without a unit.

    A positive loss is compared by ratio: the height is the natural logarithm of it, ``log 2`` for twice
    the level. Where the loss takes negative values a ratio means nothing, and the height is
    ``log 2 * difference / unit`` with the spread of the curve as unit: a rise by all that the curve has
    covered so far counts like a doubling. Both are unchanged when the loss is multiplied by a positive
    constant.

    Attributes:
        unit: spread of the curve for differences; None for ratios.
        floor: added to both levels of a ratio, so that a loss rounded to 0.0001 cannot double by rounding.
    """

    unit: float | None = None
    floor: float = 0.0

    @classmethod
    def of(cls, values: FloatArray) -> Scale:
        """Return the scale for a whole curve of finite values."""
        if not len(values) or float(values.min()) >= 0:
            return cls(floor=3 * rounding_unit(values))
        low, high = np.quantile(values, [0.05, 0.95])
        return cls(unit=float(high - low) or float(values.max() - values.min()) or 1.0)

    @property
    def is_ratio(self) -> bool:
        """Whether levels are compared by ratio."""
        return self.unit is None

    def height(self, value: FloatArray | float, base: FloatArray | float) -> FloatArray:
        """Return how far ``value`` stands above ``base``; negative below it."""
        high, low = np.asarray(value, dtype=np.float64), np.asarray(base, dtype=np.float64)
        with np.errstate(all="ignore"):
            if self.unit is not None:
                result = math.log(2) * (high / self.unit - low / self.unit)
            else:
                tiny = self.floor or _TINY
                result = np.log(high + tiny) - np.log(low + tiny)
        return np.nan_to_num(result, nan=0.0, posinf=700.0, neginf=-700.0)

    def between(self, value: float, base: float) -> float:
        """Return `height` of two numbers."""
        if self.unit is not None:
            return math.log(2) * (value / self.unit - base / self.unit)
        tiny = self.floor or _TINY
        return math.log(max(value, 0.0) + tiny) - math.log(max(base, 0.0) + tiny)

    def ratio(self, value: float, base: float) -> float | None:
        """Return the plain ratio of two levels; None where it means nothing."""
        if self.unit is not None or base <= 0:
            return None
        with np.errstate(over="ignore"):
            return float(np.float64(value) / base)


def rounding_unit(values: FloatArray) -> float:
    """Return the step that a printed loss was rounded to, 0 where it was not rounded noticeably.

    It is the smallest difference between two distinct values, taken only where many values coincide
    and all are multiples of it: numbers of full precision hardly ever do.
    """
    if len(values) < _ENOUGH:
        return 0.0
    sample = values if len(values) <= 4096 else values[:: len(values) // 4096]
    distinct = np.unique(sample)
    if len(distinct) < 2 or len(distinct) > 0.8 * len(sample):
        return 0.0
    unit = float(np.diff(distinct).min())
    if not unit > 0 or float(distinct[-1]) > 1e9 * unit:
        return 0.0
    multiples = distinct / unit
    return unit if bool((np.abs(multiples - np.rint(multiples)) < 0.05).all()) else 0.0


def as_curve(values: Curve | Sequence[float]) -> Curve:
    """Return a curve of a curve or of plain numbers."""
    return values if isinstance(values, Curve) else Curve.of(values)
