"""The short way through a step on which nothing is due: on fast loops the probes' own code is what costs.

Between two uses of it a job of some milliseconds has filled the caches with its own data, so what counts is
how little code runs, not how fast it is.
"""

from __future__ import annotations

import time
import weakref
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..evidence import Step
from .step import OpenStep
from .tensors import primary_output

if TYPE_CHECKING:
    from torch.nn import Module
    from torch.optim import Optimizer

    from ..sensors.optimizer import Known
    from ..sensors.untouched import Watched
    from .session import Session

_FEWEST = 2
"""Steps ahead of which it is known that nothing is due; for fewer the change of ways costs too much."""
_PAUSE = 64
"""Steps for which the short way is not tried after one that had to leave it midway, which costs both."""
_STEP_HOOKS = ("begin", "before_backward", "after_backward", "before_update", "after_update", "finish")


class QuickStep:
    """What was seen of one step that took the short way; it becomes a record on the writer's thread."""

    __slots__ = ("batch", "epoch", "loss", "names", "rates", "spent", "step", "time", "took")

    def __init__(self, step: int, place: tuple[float | None, int | None], loss: float) -> None:
        self.step, self.loss = step, loss
        self.epoch, self.batch = place
        self.time = self.took = self.spent = 0.0
        self.names: list[str] = []
        self.rates: list[float] = []

    def record(self) -> Step:
        """Return the record, with the same values as the long way writes on a step without samples."""
        values: dict[str, Any] = {"grad.clip_calls": 0, "mode.train": 1}
        values.update(zip(self.names, self.rates, strict=True))
        values.update({"loss": self.loss, "loss.micro": 1})
        values.update({"step.time": round(self.took, 7), "probe.time": round(self.spent, 7)})
        return Step(self.step, self.time, self.epoch, self.batch, values)

    def opened(self) -> OpenStep:
        """Return it as a step that is over."""
        step = OpenStep(self.step)
        step.epoch, step.batch, step.v = self.epoch, self.batch, dict(self.record().v)
        return step


class Quick:
    """Takes steps that go exactly like the one before: one call of the model, one backward, one update.

    Anything else leads back to the long way, in the middle of a step too and with nothing lost: another
    backward, clipping, a second optimizer, a loss that stands out, a value that the job logs, a sensor that
    is due. Its methods return False, or call `leave`, for whatever they do not take.

    Attributes:
        on: the step that comes may take the short way.
        step: what is known of the step under way; None while there is none or it takes the long way.
        inside: the model is running.
        rates: reads the rates of an optimizer, by its id.
        watched: looks for weights that were changed between two updates.
        last: the latest step that took the short way.
    """

    def __init__(self, session: Session) -> None:
        self.on = False
        self.step: QuickStep | None = None
        self.inside = False
        self.last: QuickStep | None = None
        self._session = session
        self._root: weakref.ref[Module] | None = None
        self._optimizer: weakref.ref[Optimizer] | None = None
        self.rates: dict[int, Known] = {}
        self._rates: Known | None = None
        self._bar = 0.0
        self._until = 0
        self._not_before = 0
        self._spent = 0.0
        self._total = 0.0
        self._losses: list[float] = []
        self._updating = False
        self.watched: Watched | None = None

    def consider(self, step: OpenStep, optimizer: Optimizer, until: int) -> None:
        """Choose the way of the steps before ``until``, after ``step`` has taken the long one."""
        session = self._session
        root = session.callers[0]() if len(session.callers) == 1 else None
        self._rates = self.rates.get(id(optimizer))
        self.on = (
            until - session.index >= _FEWEST
            and session.index >= self._not_before
            and _is_plain(step)
            and root is not None
            and root.training
            and self._rates is not None
            and self._rates.are_plain(optimizer)
            and not (session.forwards.wide or session.evaluating or session.packs_tensors)
            and session.sink.claimed
            and session.dispatch.all_may_rest(_STEP_HOOKS)
        )
        if self.on and root is not None:
            self._root, self._optimizer = weakref.ref(root), weakref.ref(optimizer)
            self._until, self._bar = until, session.steps.bar
            self._spent = 0.0

    # -- one step -------------------------------------------------------------------------------------

    def takes(self, module: Module) -> bool:
        """Whether a call of a module is the model's, to be trained on."""
        return (
            self._root is not None
            and self._root() is module
            and module.training
            and torch.is_grad_enabled()
            and self.step is None
        )

    def called(self, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """The model has returned."""
        began = perf_counter()
        try:
            self._session.quickly_called(args, kwargs, primary_output(output))
        except Exception as error:  # noqa: BLE001 - a probe never reaches the job
            self._fail(error)
        self._spent += perf_counter() - began

    def backward_begins(self, root: Any) -> bool:
        """A backward begins; True when it is the one expected."""
        began = perf_counter()
        session = self._session
        try:
            plain = type(root) is Tensor and root.is_cpu and root.dim() == 0 and self.step is None
            if not plain or not session.steps.is_idle:
                self.on = False
                return False
            loss = root.item()
            # Also for a NaN.
            if not loss < self._bar:
                self.on = False
                return False
            session.forget_call()
            session.steps.in_backward = True
            self.step = QuickStep(session.index, session.progress.trained(), loss)
        except Exception as error:  # noqa: BLE001 - a probe never reaches the job
            self._fail(error)
            return False
        self._spent += perf_counter() - began
        return True

    def backward_done(self) -> None:
        """The backward has ended."""
        steps = self._session.steps
        steps.in_backward = False
        self._session.forwards.between = True

    def backward_failed(self) -> None:
        """Backward raised: what it did not finish is left to the long way."""
        self._session.steps.in_backward = False
        self.leave()

    def update_begins(self, optimizer: Optimizer) -> bool:
        """``optimizer.step`` has been called; True when that is what was expected."""
        step, known, rates = self.step, self._optimizer, self._rates
        if step is None:
            return False
        try:
            expected = known is not None and known() is optimizer and not self._updating
            if (
                not expected
                or rates is None
                or self._session.steps.in_backward
                or not rates.read_quickly(optimizer, step)
                or (self.watched is not None and self.watched.touched(optimizer))
            ):
                self.leave()
                return False
        except Exception as error:  # noqa: BLE001 - a probe never reaches the job
            self._fail(error)
            return False
        self._session.steps.updates_begun += 1
        self._updating = True
        return True

    def update_done(self) -> bool:
        """``optimizer.step`` has returned; True when the step is over."""
        step = self.step
        if step is None or not self._updating:
            return False
        try:
            self._end(step)
        except Exception as error:  # noqa: BLE001 - a probe never reaches the job
            self._fail(error)
        return True

    def _end(self, step: QuickStep) -> None:
        now = perf_counter()
        session = self._session
        self._updating, self.step, self.last = False, None, step
        optimizer = self._optimizer() if self._optimizer is not None else None
        if self.watched is not None and optimizer is not None:
            self.watched.take(optimizer)
        step.time = time.time()
        step.took = session.steps.planner.tick() or 0.0
        self._losses.append(step.loss)
        session.steps.index += 1
        over = not session.quickly_ended() or not self.on or session.steps.index >= self._until
        step.spent = self._spent + perf_counter() - now
        self._total += step.spent
        self._spent = 0.0
        session.sink.write(step)
        if over:
            began = perf_counter()
            self.settle()
            session.dispatch.spent += perf_counter() - began

    # -- back to the long way -----------------------------------------------------------------------

    def leave(self) -> None:
        """Go on with the step under way, if there is one, as if it had taken the long way so far."""
        if self.step is None and not (self.on or self._losses):
            return
        step, self.step = self.step, None
        updating, self._updating = self._updating, False
        self._session.dispatch.spent += self._spent
        self._spent = 0.0
        self.settle()
        if step is None:
            return
        steps = self._session.steps
        self._not_before = steps.index + _PAUSE
        steps.resume(step.loss, (step.epoch, step.batch))
        optimizer = self._optimizer() if self._optimizer is not None else None
        if updating and optimizer is not None:
            steps.updates_begun -= 1
            steps.update_begins(optimizer)

    def settle(self) -> None:
        """Hand over what the steps so far have cost and what their losses were."""
        self.on = False
        losses, self._losses = self._losses, []
        if losses:
            self._session.steps.settled_quickly(losses, self._total / len(losses))
        self._total = 0.0

    def forget(self) -> None:
        """Drop the step under way."""
        self.on, self.step, self._updating, self.inside = False, None, False, False
        self._losses.clear()

    def _fail(self, error: Exception) -> None:
        self.forget()
        self._session.dispatch.fail(error)


def _is_plain(step: OpenStep) -> bool:
    """Whether a step went the way that can be shortened."""
    return (
        step.micro_count == 1
        and len(step.losses) == 1
        and len(step.stepped) == 1
        and not (step.full or step.scaled or step.device_losses or step.waiting)
        and step.v.get("grad.clip_calls") == 0
    )
