"""Judges whole curves: is it a spike, another pattern, or health?"""

from __future__ import annotations

from . import patterns
from .curve import Curve
from .finding import Finding
from .judge import judge
from .run import Run
from .track import Track


def assess(
    train: Curve | None,
    val: Curve | None = None,
    lr: Curve | None = None,
    grad_norm: Curve | None = None,
) -> Finding:
    """Judge a run by its curves.

    Args:
        train: training loss, of single steps or averaged over any interval. Without one, validation is
            judged in its place.
        val: validation loss; where it is absent, a jump of the training loss is still a spike.
        lr: learning rate; tells a planned restart from a fault.
        grad_norm: gradient norm; tells a disguised NaN, and confirms jumps too small by themselves.

    Returns:
        The finding. It never raises for any numbers.
    """
    train, val, lr, grad_norm = (_present(curve) for curve in (train, val, lr, grad_norm))
    if train is None and val is not None:
        return patterns.only_validation(judge(Run(Track(val), None, lr, None)))
    return judge(Run(Track(train or Curve.of([])), _validation(val), lr, grad_norm))


def _present(curve: Curve | None) -> Curve | None:
    return curve if curve is not None and len(curve) else None


def _validation(val: Curve | None) -> Track | None:
    return Track(val) if val is not None and len(val.finite) > 1 else None
