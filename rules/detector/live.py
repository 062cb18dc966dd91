"""Judges a run step by step while it grows."""

from __future__ import annotations

from ...probes.evidence import Step
from .early import EarlyWarnings, Precursor
from .online import OnlineDetector, Signal


class LiveDetector:
    """Raises alarms on the loss, and warns of what moves before it does."""

    def __init__(self) -> None:
        self._loss = OnlineDetector()
        self._early = EarlyWarnings()

    def push(self, step: Step) -> tuple[Signal | None, list[Precursor]]:
        """Take in a step's record; return what has become certain at it.

        Once the loss has begun to move as well it is the news, and nothing else is told.
        """
        signal = self._judge(step)
        moving = self._early.push(step.step, step.v)
        return signal, moving if self._loss.calm else []

    def _judge(self, step: Step) -> Signal | None:
        loss, norm = step.v.get("loss"), step.v.get("grad.norm")
        if not isinstance(loss, float | int):
            return None
        return self._loss.push(
            step.step, float(loss), step.epoch, step.batch,
            grad_norm=float(norm) if isinstance(norm, float | int) else None,
        )  # fmt: skip
