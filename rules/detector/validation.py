"""What the validation loss shows that the training loss does not."""

from __future__ import annotations

import numpy as np

from . import jumps, patterns
from .curve import Curve
from .finding import Finding
from .run import Run

_NEARLY_BACK = 0.35


def not_finite(run: Run) -> Finding | None:
    """A validation loss that ended as NaN or infinity while the training loss did not."""
    if run.val is None or run.val.raw is run.val.curve:
        return None
    finding = jumps.not_finite(Run(run.val, None, None, None))
    if finding is None or finding.onset is None or finding.recovered:
        return None
    earlier = jumps.lasting(run)
    if earlier is not None and earlier.verdict == "spike" and _is_before(earlier, finding):
        # What ended as NaN in validation began with the jump of training.
        return patterns.broken_validation(earlier, _first_broken(run.val.raw))
    return patterns.only_validation(finding)


def _is_before(first: Finding, second: Finding) -> bool:
    return first.onset is not None and second.onset is not None and first.onset.step <= second.onset.step


def _first_broken(val: Curve) -> int:
    return int(val.step[np.argmin(np.isfinite(val.value))])


def joined(run: Run) -> Finding | None:
    """A lasting jump of validation that training took part in, if only for a record."""
    jump = run.val_jump
    if run.val is None or jump is None:
        return None
    step = float(run.val.curve.step[jump.start])
    room = max(run.val.interval, 2 * run.train.interval)
    near = [e for e in (*run.train.jumps, *run.train.outliers) if -room <= step - run.step_of(e) <= 2 * room]
    if not near:
        return None
    change = run.train.change(near[0])
    last = run.val.scale.between(float(run.val.values[-1]), jump.base)
    if last < _NEARLY_BACK * jump.peak_height:
        return patterns.transient(run.val, jump, "val", change)
    return patterns.spike(run.val, jump, "val", change, "train", None)


def alone(run: Run) -> Finding | None:
    """A lasting jump of validation without any of training."""
    jump = run.val_jump
    if run.val is None or jump is None or jump.width < 2:
        return None
    return patterns.shift(run.val, jump, run.train.change_near(float(run.val.curve.step[jump.start])))
