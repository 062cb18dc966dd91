"""Judges whole curves: is it a spike, another pattern, or health?"""

from __future__ import annotations

from .curve import Curve
from .finding import Finding
from .judge import Judge


def assess(
    train: Curve,
    val: Curve | None = None,
    lr: Curve | None = None,
    grad_norm: Curve | None = None,
) -> Finding:
    """Judge a run by its curves.

    Args:
        train: training loss, of single steps or averaged over any interval.
        val: validation loss; where it is absent, a jump of the training loss is still a spike.
        lr: learning rate; tells a planned restart from a fault.
        grad_norm: gradient norm; tells a disguised NaN, and confirms jumps too small by themselves.

    Returns:
        The finding. It never raises for any numbers.
    """
    judge = Judge(_present(train) or Curve.of([]), _present(val), _present(lr), _present(grad_norm))
    return judge.finding()


def _present(curve: Curve | None) -> Curve | None:
    return curve if curve is not None and len(curve) else None
