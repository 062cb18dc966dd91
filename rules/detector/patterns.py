"""The findings, one function for each pattern: which numbers it carries and how it reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from . import texts
from .excursions import Excursion
from .finding import (
    NAN,
    NOISE,
    OVERFITTING,
    RESTART_BUMP,
    SLOW_DIVERGENCE,
    TRANSIENT_SPIKE,
    VALIDATION_SHIFT,
    Change,
    Finding,
    Onset,
)
from .nonfinite import Broken
from .rise import Rise
from .texts import Pair, fill, number, times
from .track import Track

Series = Literal["train", "val"]


def onset_of(track: Track, index: int, series: Series = "train") -> Onset:
    """Return the place of one record of a track."""
    return Onset(int(track.curve.step[index]), index, track.curve.epoch_at(index), series=series)


def _numbers(track: Track, e: Excursion, series: Series) -> dict[str, object]:
    change = track.change(e)
    return {
        "series": texts.UNITS[series],
        "step": int(track.curve.step[e.start]),
        "before": number(change.before),
        "after": number(change.after),
        "times": times(change.ratio),
    }


def spike(
    track: Track,
    e: Excursion,
    series: Series,
    other: Change | None,
    sync: str,
    reset: Literal["start", "chance"] | None,
) -> Finding:
    """A jump that stayed."""
    stayed = texts.LAST if e.width == 1 else texts.STAYED
    reason = fill(
        texts.SPIKE,
        **_numbers(track, e, series),
        sync=texts.SYNC[sync],
        stayed=stayed,
        reset=texts.RESET[reset],
    )
    own = track.change(e)
    train, val = (own, other) if series == "train" else (other, own)
    return Finding(
        "spike",
        None,
        onset_of(track, e.start, series),
        train,
        val,
        reset=reset,
        reason=reason[0],
        reason_zh=reason[1],
    )


def nonfinite(track: Track, broken: Broken, e: Excursion | None, index: int, val: Change | None) -> Finding:
    """A loss that is not finite, from its jump on where it jumped before.

    Args:
        track: the curve up to the break.
        broken: the break.
        e: jump that led to it, or None.
        index: finite record at which a blow-up began, or the number of finite records for none.
        val: change of the validation loss.
    """
    if e is not None:
        change = track.change(e)
        reason = fill(texts.NAN_AFTER, broken=broken.step, **_numbers(track, e, "train"))
        onset = onset_of(track, e.start)
    else:
        before = track.level_before(index)
        change = Change(before, float("nan"), None)
        reason = fill(texts.NAN, step=broken.step, how=texts.NAN_HOW[broken.disguise])
        onset = (
            onset_of(track, index) if index < len(track) else Onset(broken.step, broken.index, broken.epoch)
        )
    return Finding(
        "spike",
        NAN,
        onset,
        change,
        val,
        recovered=broken.ended,
        nonfinite=True,
        reason=reason[0],
        reason_zh=reason[1],
    )


def broken_validation(jump: Finding, step: int) -> Finding:
    """A jump of training that stayed, after which the validation loss stopped being finite.

    Args:
        jump: the finding on the jump.
        step: first validation that is not finite.
    """
    english, chinese = fill(texts.VAL_NAN, step=step)
    return replace(
        jump,
        pattern=NAN,
        nonfinite=True,
        reason=jump.reason.removesuffix(".") + english,
        reason_zh=jump.reason_zh.removesuffix("。") + chinese,
    )


def transient(track: Track, e: Excursion, series: Series, other: Change | None) -> Finding:
    """A jump that passed."""
    ratio = track.scale.ratio(e.peak, e.base)
    numbers = _numbers(track, e, series) | {"peak": number(e.peak), "times": times(ratio), "width": e.width}
    reason = fill(texts.TRANSIENT, **numbers)
    own = track.change(e)
    train, val = (own, other) if series == "train" else (other, own)
    onset = onset_of(track, e.start, series)
    return Finding(
        "pattern",
        TRANSIENT_SPIKE,
        onset,
        train,
        val,
        recovered=True,
        records=e.width,
        reason=reason[0],
        reason_zh=reason[1],
    )


def restart(
    track: Track, e: Excursion, val: Change | None, why: str, reset: Literal["start", "chance"] | None
) -> Finding:
    """A jump that was planned."""
    reason = fill(texts.RESTART, **_numbers(track, e, "train"), why=texts.WHY[why])
    onset = onset_of(track, e.start)
    return Finding(
        "pattern",
        RESTART_BUMP,
        onset,
        track.change(e),
        val,
        recovered=not e.open,
        reset=reset,
        reason=reason[0],
        reason_zh=reason[1],
    )


def shift(track: Track, e: Excursion, train: Change | None) -> Finding:
    """A lasting jump of the validation loss alone."""
    reason = fill(texts.SHIFT, **_numbers(track, e, "val"))
    onset = onset_of(track, e.start, "val")
    return Finding(
        "pattern", VALIDATION_SHIFT, onset, train, track.change(e), reason=reason[0], reason_zh=reason[1]
    )


def gradual(rise: Rise, track: Track) -> Finding:
    """Overfitting or slow divergence."""
    ratio = track.scale.ratio(rise.final, rise.best)
    text = texts.OVERFIT if rise.pattern == OVERFITTING else texts.DIVERGE
    series: Series = "train" if rise.series == "train" else "val"
    onset = onset_of(track, rise.index, series)
    reason = fill(
        text,
        series=texts.UNITS[series],
        best=number(rise.best),
        final=number(rise.final),
        step=onset.step,
        times=times(ratio),
    )
    change = Change(rise.best, rise.final, ratio)
    train, val = (change, None) if series == "train" else (None, change)
    return Finding("pattern", rise.pattern, onset, train, val, reason=reason[0], reason_zh=reason[1])


def never_learnt(track: Track, final: float) -> Finding:
    """Divergence from the first steps on: there was no good phase to jump from."""
    ratio = track.scale.ratio(final, track.first)
    reason = fill(texts.NEVER, first=number(track.first), final=number(final), times=times(ratio))
    change = Change(track.first, final, ratio)
    onset = onset_of(track, min(1, len(track) - 1))
    return Finding("pattern", SLOW_DIVERGENCE, onset, change, reason=reason[0], reason_zh=reason[1])


def noise(spread: float, outliers: int) -> Finding:
    """Restless, but level."""
    reason = fill(texts.NOISE, spread=f"{100 * spread:.0f} %", outliers=outliers)
    return Finding("pattern", NOISE, reason=reason[0], reason_zh=reason[1])


def plain(verdict: Literal["healthy", "insufficient"], reason: Pair) -> Finding:
    """Nothing happened, or nothing can be said."""
    return Finding(verdict, reason=reason[0], reason_zh=reason[1])


def only_validation(finding: Finding) -> Finding:
    """Move a finding about a curve that was judged as training to validation."""
    onset = replace(finding.onset, series="val") if finding.onset else None
    return replace(
        finding,
        onset=onset,
        train=None,
        val=finding.train,
        reason=finding.reason.replace("training loss", "validation loss"),
        reason_zh=finding.reason_zh.replace("训练损失", "验证损失"),
    )
