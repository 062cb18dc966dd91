"""From backward and update calls to one record per optimizer step."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..evidence import Value
from .baseline import Baseline
from .deferred import Deferred
from .graph import divisor, loss_terms
from .handwritten import batch_of
from .planner import Planner
from .quick import Quick
from .step import Micro, OpenStep
from .surroundings import cuda_in_use

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from .session import Session

UNSEEN = (
    "optimizer.step runs where probes cannot see it (compiled, or not a torch.optim.Optimizer): "
    "steps are told from reset gradients; learning rate, updates and weights are not recorded"
)


class Stepper:
    """The state machine of a process.

    A step opens at its first backward and closes when every optimizer of the cycle has updated: with
    several optimizers, as in a GAN, one record holds an update of each.

    Attributes:
        index: optimizer steps so far.
        open: the step under way, None between steps.
        in_backward: a backward is under way.
        scaled: (weak reference to the scaled loss, the loss, the scale) of GradScaler's latest calls.
        updates_begun: calls of any optimizer's ``step`` so far.
        quick: takes the steps on which nothing is due.
        planner: times the steps and chooses what runs on them.
        in_time: `before_update` runs before anything has changed; with a closure, and for a further optimizer
            after the same backward, it can run in the midst of the update or after it only.
        settled: False until the step is over in whose middle the probes came.
    """

    def __init__(self, session: Session) -> None:
        self.index = 0
        self.in_time = False
        self.open: OpenStep | None = None
        self.in_backward = False
        self.scaled: list[tuple[Any, Tensor, Tensor]] = []
        self.updates_begun = 0
        self.planner = Planner(session.dispatch, session.settings.budget)
        self._session = session
        self._dispatch = session.dispatch
        self._deferred = Deferred(self._write)
        self._baseline = Baseline()
        self._notes: dict[str, Value] = {}
        self._met: weakref.WeakSet[Optimizer] = weakref.WeakSet()
        self._last: OpenStep | None = None
        self.settled = True
        self._unseen_told = False
        self.quick = Quick(session)
        self.reset()

    def reset(self) -> None:
        """Forget what is under way."""
        self.open = None
        self.in_backward = False
        self._micro: Micro | None = None
        self._loss: float | None = None
        self._running: Optimizer | None = None
        self._closure: Optimizer | None = None
        self._updating: list[int] = []
        self._measured: set[int] = set()
        self._inside: set[int] = set()
        self._cycle: dict[int, weakref.ref[Optimizer]] = {}
        self._assigned = 0
        self._deferred.clear()
        self.quick.forget()

    # -- backward -----------------------------------------------------------------------------------

    def backward_begins(self, tensors: Tensor | Sequence[Tensor]) -> bool:
        """Return whether this backward counts: one that runs inside another, for recomputation, does not."""
        if self.in_backward or (cuda_in_use() and torch.cuda.is_current_stream_capturing()):
            return False
        self.quick.leave()
        self.in_backward = True
        if self.updates_begun == 0 and self.open is not None and self.open.micro_count:
            self._notice_unseen_update(self.open)
        roots = [tensors] if isinstance(tensors, Tensor) else list(tensors)
        step = self.step()
        step.epoch, step.batch = self._session.progress.trained()
        sources = [self._unscaled(step, root) for root in roots] if self.scaled else roots
        self._take_loss(step, sources)
        if step.full or self._dispatch.due:
            self._look_at_batch(step, sources)
        else:
            self._session.forget_call()
        self._dispatch.run("before_backward", step, roots)
        step.micro_count += 1
        return True

    def _notice_unseen_update(self, step: OpenStep) -> None:
        """Close a step whose update no hook has shown, as with a compiled ``optimizer.step``.

        Told from gradients that are gone: somebody has used and reset them.
        """
        for root in self._session.model.roots:
            trained = [p for p in root.parameters() if p.requires_grad]
            if trained and all(p.grad is None for p in trained):
                if not self._unseen_told:
                    self._unseen_told = True
                    self._session.event("update.unseen", {"reason": UNSEEN})
                self._close(step)
                return

    def _unscaled(self, step: OpenStep, root: Tensor) -> Tensor:
        """Return the loss that GradScaler made ``root`` of, else ``root`` itself."""
        for reference, loss, _ in self.scaled:
            if reference() is root:
                step.scaled = True
                return loss
        return root

    def _take_loss(self, step: OpenStep, sources: Sequence[Tensor]) -> None:
        """Take the loss before backward: on a CPU it decides how closely this step is looked at."""
        self._loss = None
        loss = None
        for source in sources:
            if source.numel() != 1:
                continue
            if not source.is_cpu:
                step.device_losses.append(source.detach())
                continue
            loss = source.item() + (loss or 0.0)
        if loss is None:
            return
        self._loss = loss
        if not (self._updating and step.losses and _reevaluates(self._running)):
            step.losses.append(loss)
        if self._baseline.stands_out(loss):
            self._take_everything(step)

    def _take_everything(self, step: OpenStep) -> None:
        step.full = True
        self._dispatch.take_everything()

    def _look_at_batch(self, step: OpenStep, sources: Sequence[Tensor]) -> None:
        """Keep the micro-batch with the largest loss: that is the one to explain."""
        micro = Micro(loss=self._loss)
        self._session.take_micro(micro)
        for source in sources:
            micro.terms += loss_terms(source, micro.outputs)
            if self._session.batch_in_graph:
                micro.inputs = batch_of(source)
            if (number := divisor(source)) is not None:
                step.v["loss.divisor"] = number
        if micro.inputs and micro.inputs[0][1].dim():
            step.samples += micro.inputs[0][1].shape[0]
        kept = step.micro.loss if step.micro is not None else None
        loss = micro.loss
        if kept is None or loss is None or loss > kept or loss != loss:  # noqa: PLR0124 - NaN
            step.micro = micro

    def backward_done(self, counts: bool) -> None:
        """The backward that began with ``counts`` has ended."""
        if not counts:
            return
        self.in_backward = False
        self._session.forwards.between = True
        step = self.open or self.step()
        step.graph = None
        self._dispatch.run("after_backward", step)
        if self._closure is not None:
            self._before_update(step, self._closure)
        elif self._inside and not self._updating:
            # The optimizers ran inside backward, one per parameter: the step is over now.
            self._inside = set()
            self._close(step)

    def backward_failed(self, counts: bool) -> None:
        """Backward raised: what it did not finish must not count for the next."""
        if counts:
            self.in_backward = False
            self._inside = set()

    # -- update -------------------------------------------------------------------------------------

    def update_begins(self, optimizer: Optimizer) -> None:
        """``optimizer.step`` has been called."""
        self.quick.leave()
        me = id(optimizer)
        if me in self._updating:
            # The earlier call never ended: it raised.
            self._updating.clear()
        self._updating.append(me)
        if len(self._updating) > 1:
            return
        self._running = optimizer
        self.updates_begun += 1
        known = self._cycle.get(me)
        if (known is None or known() is not optimizer) and optimizer not in self._met:
            self._met.add(optimizer)
            self._session.forwards.widen()
            self._dispatch.run("meets", optimizer)
        step = self.open or self.step()
        if me in step.stepped and not self.in_backward:
            step = self._close_for_next(step)
        if self.in_backward or step.micro_count > self._assigned:
            self._before_update(step, optimizer, in_time=True)
        else:
            # No backward since the last update: it comes from a closure, inside this call.
            self._closure = optimizer

    def _before_update(self, step: OpenStep, optimizer: Optimizer, in_time: bool = False) -> None:
        self._closure, self.in_time = None, in_time
        self._assigned = step.micro_count
        self._measured.add(id(optimizer))
        self._dispatch.run("before_update", step, optimizer)

    def update_done(self, optimizer: Optimizer) -> None:
        """``optimizer.step`` has returned."""
        me = id(optimizer)
        if not self._updating or self._updating.pop() != me:
            self._updating.clear()
        if self._updating:
            return
        self._running = None
        step = self.open or self.step()
        if me not in self._measured:
            self._before_update(step, optimizer)
        self._measured.discard(me)
        self._assigned = step.micro_count
        self._dispatch.run("after_update", step, optimizer)
        step.stepped.append(me)
        if self.in_backward:
            self._inside.add(me)
            return
        if self._round_is_over(step, optimizer):
            self._close(step)

    def _round_is_over(self, step: OpenStep, optimizer: Optimizer) -> bool:
        """Take ``optimizer`` into the cycle, and say whether all that are alive in it have updated."""
        known = self._cycle.get(id(optimizer))
        if known is None or known() is not optimizer:
            self._cycle[id(optimizer)] = weakref.ref(optimizer)
        return len(self._cycle) == 1 or all(
            key in step.stepped or other() is None for key, other in self._cycle.items()
        )

    def update_skipped(self, optimizer: Optimizer) -> None:
        """GradScaler found non-finite gradients and left the update out."""
        step = self.step()
        step.v["amp.skipped"] = 1
        self._dispatch.run("before_update", step, optimizer)
        self._close(step)

    # -- the short way ------------------------------------------------------------------------------

    @property
    def under_way(self) -> OpenStep | None:
        """The step under way, which takes the long way from now on; None between steps."""
        self.quick.leave()
        return self.open

    @property
    def last(self) -> OpenStep | None:
        """The latest step that is over."""
        quick = self.quick.last
        if quick is not None and (self._last is None or quick.step > self._last.index):
            return quick.opened()
        return self._last

    @property
    def is_idle(self) -> bool:
        """Nothing is under way, and nothing waits to be told with the step that comes."""
        return not (self.open or self.in_backward or self.scaled or self._notes or self._updating)

    @property
    def bar(self) -> float:
        """The loss from which on a step has to be looked at closely."""
        return self._baseline.bar

    def resume(self, loss: float, place: tuple[float | None, int | None]) -> None:
        """Open a step whose backward was seen on the short way."""
        self._baseline.take_in((loss,))
        step = self.step()
        step.epoch, step.batch = place
        step.losses.append(loss)
        step.micro_count = 1
        step.v["mode.train"] = 1

    def settled_quickly(self, losses: list[float], spent: float) -> None:
        """Take in steps that took the short way.

        Args:
            losses: of each.
            spent: seconds of probes in one of them.
        """
        self._baseline.take_in(losses)
        self.planner.budget.account(None, spent, {}, len(losses))
        self.planner.choose(self.index)

    # -- steps --------------------------------------------------------------------------------------

    def step(self) -> OpenStep:
        """Return the step under way, opening one if there is none."""
        self.quick.leave()
        if self.open is None:
            if not self._session.sink.claimed:
                self._session.claim()
            self.open = OpenStep(self.index)
            self._assigned = 0
            if self._notes:
                self.open.v.update(self._notes)
                self._notes.clear()
            self._dispatch.run("begin", self.open)
        return self.open

    def _close_for_next(self, step: OpenStep) -> OpenStep:
        """Close a step whose optimizer comes again; losses since its last update go to the next."""
        later = step.losses[self._assigned :]
        del step.losses[self._assigned :]
        count, micro = step.micro_count - self._assigned, step.micro
        step.micro_count = self._assigned
        # One that has not updated in a whole round is no part of the cycle any more.
        self._cycle = {key: other for key, other in self._cycle.items() if key in step.stepped}
        self._close(step)
        following = self.step()
        following.losses, following.micro_count, following.micro = later, count, micro
        return following

    def _close(self, step: OpenStep) -> None:
        if not self.settled:
            self._drop(step)
            return
        if step.losses:
            step.v["loss"] = sum(step.losses)
        elif step.device_losses:
            losses = torch.stack([loss.reshape(()) for loss in step.device_losses]).double().sum()
            step.later(losses, lambda numbers: self._device_loss(step, numbers[0]))
        step.v["loss.micro"] = step.micro_count
        self._dispatch.run("finish", step)
        self.open = None
        self.index += 1
        self._measured.clear()
        self.scaled.clear()
        self._session.progress.release()
        self._session.forwards.step_ended()
        self._plan(step)
        self._session.callers.clear()
        step.micro = None
        self._last = step
        if step.waiting or self._deferred.pending:
            self._deferred.put(step)
        else:
            self._session.sink.write(step.record())

    def _drop(self, step: OpenStep) -> None:
        self.settled = True
        self._unseen_told = False
        self.reset()
        self.planner.restart()
        step.micro = None
        self.scaled.clear()
        self._session.progress.release()
        self._session.forget_call()
        self._dispatch.take_spent()

    def _device_loss(self, step: OpenStep, loss: float) -> None:
        step.v["loss"] = loss
        if self._baseline.stands_out(loss):
            self.look_closer()

    def _plan(self, step: OpenStep) -> None:
        """Account for a step that is over, and choose how the next one is seen."""
        if self.planner.account(step, self.index) and len(self._cycle) == 1:
            (optimizer,) = (reference() for reference in self._cycle.values())
            if optimizer is not None:
                self.quick.consider(step, optimizer, self.planner.budget.quiet_until(self.index))

    def discard_first(self) -> None:
        """The probes came in the middle of a step: drop what is seen of it."""
        self.settled = False

    def note(self, name: str, value: Value) -> None:
        """Record a value of the job's own with the step under way, else with the next."""
        if (step := self.under_way) is not None:
            step.v[name] = value
        else:
            self._notes[name] = value

    def look_closer(self) -> None:
        """Run everything on the steps that follow: what happened before could not be measured in time."""
        self.quick.leave()
        self.planner.look_closer(self.index)

    def _write(self, step: OpenStep) -> None:
        self._session.sink.write(step.record())

    def finish(self) -> None:
        """Write a step that has updated but whose cycle is not complete."""
        self.quick.leave()
        if self.open is not None and (self.open.stepped or self._unseen_told):
            self._close(self.open)

    def drain(self) -> None:
        """Wait for numbers that are still on a device, and write their steps."""
        self._deferred.drain()


def _reevaluates(optimizer: Any) -> bool:
    """Whether the optimizer calls its closure several times for one step."""
    return isinstance(optimizer, torch.optim.LBFGS)
