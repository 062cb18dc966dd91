"""The state machine of one process: from the hooks' calls to one record per optimizer step."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..budget import Budget
from ..sensors.base import sensor_classes
from .baseline import Baseline
from .deferred import Deferred
from .dispatch import Dispatch
from .graph import divisor, loss_terms
from .lifecycle import Lifecycle, cuda_in_use
from .modelmap import ModelMap
from .patching import Patches
from .progress import LoaderState, Progress
from .settings import Settings
from .sink import Sink
from .step import Micro, OpenStep
from .tensors import named_inputs, primary_output, targets_of

if TYPE_CHECKING:
    from torch.nn import Module
    from torch.optim import Optimizer

_CORE_FAILURES = 5


class Session:
    """Everything the agent knows in one process.

    Attributes:
        patches: what was replaced in torch.
        dispatch: the sensors.
        progress: epoch and batch.
        model: outermost modules and the names of parameters.
        index: optimizer steps so far.
        open: the step under way, None between steps.
        optimizers: every optimizer seen, by id.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.patches = Patches()
        self.sink = Sink(settings, self._alarmed)
        self.dispatch = Dispatch(self._switched_off)
        self.progress = Progress(lambda epoch: self.event("epoch.begin", {"epoch": epoch}))
        self.model = ModelMap()
        self.budget = Budget(settings.budget)
        self.index = 0
        self.open: OpenStep | None = None
        self.optimizers: set[int] = set()
        self.scaled: list[tuple[Any, Tensor, Tensor]] = []
        """(weak reference to the scaled loss, the loss, the scale) of GradScaler's latest calls."""
        self.updates_begun = 0
        self.between_forwards = True
        self.gradients_on = True
        self.forward_stack: list[weakref.ref[Module] | None] = []
        self._deferred = Deferred(self._write)
        self._baseline = Baseline()
        self._micro = Micro()
        self._in_backward = False
        self._updating: list[int] = []
        self._measured: set[int] = set()
        self._assigned = 0
        self._cycle: set[int] = set()
        self._mark: float | None = None
        self._failures = 0
        self.lifecycle = Lifecycle(self)

    def load_sensors(self) -> None:
        """Find and install all sensors."""
        for sensor in sensor_classes(self.settings.folders):
            if sensor.name not in self.settings.off:
                self.dispatch.add(sensor(self))
        self._choose_due()

    def event(self, name: str, data: dict[str, Any]) -> None:
        """Write an event placed at the current step."""
        self.sink.event(name, self.index, data)

    # -- forward ------------------------------------------------------------------------------------

    def forward_done(
        self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        """An outermost module returned; one that is run again inside backward is no new pass."""
        if self._in_backward or not self.model.saw(module):
            return
        self.gradients_on = torch.is_grad_enabled()
        inputs = named_inputs(args, kwargs)
        micro = Micro(inputs=inputs, targets=targets_of(kwargs, inputs, self.progress.data))
        micro.outputs = primary_output(output)
        if self.gradients_on:
            self._micro = micro
        self.dispatch.run("forward", module, micro, output)

    @property
    def inside_forward(self) -> bool:
        """Whether a model, not just a loss module, is computing right now."""
        outer = self.forward_stack[0] if self.forward_stack else None
        module = outer() if outer is not None else None
        return module is not None and self.model.saw(module)

    # -- backward -----------------------------------------------------------------------------------

    def backward_begins(self, tensors: Tensor | Sequence[Tensor]) -> bool:
        """Return whether this backward counts: one that runs inside another, for recomputation, does not."""
        if self._in_backward or _capturing():
            return False
        self._in_backward = True
        roots = [tensors] if isinstance(tensors, Tensor) else list(tensors)
        step = self._step()
        step.epoch, step.batch = self.progress.trained()
        micro, self._micro = self._micro, Micro()
        for root in roots:
            source = self._unscaled(root)[0]
            micro.terms += loss_terms(source)
            if (number := divisor(source)) is not None:
                step.v["loss.divisor"] = number
        if step.micro_count == 0:
            step.micro = micro
        self._latest = micro
        self._losses = [self._unscaled(root)[1] for root in roots if root.numel() == 1]
        self.dispatch.run("before_backward", step, roots)
        step.micro_count += 1
        return True

    def backward_done(self, counts: bool) -> None:
        """The backward that began with ``counts`` has ended."""
        if not counts:
            return
        self._in_backward = False
        self.between_forwards = True
        step = self._step()
        self._take_loss(step)
        self.dispatch.run("after_backward", step)
        if self._updating and self._closure is not None:
            self._before_update(step, self._closure)
        elif step.stepped and not self._updating and set(step.stepped) & self._stepped_inside:
            # The optimizers ran inside backward, one per parameter: the step is over now.
            self._cycle = set(step.stepped)
            self._stepped_inside = set()
            self._close(step)

    def backward_failed(self, counts: bool) -> None:
        """Backward raised: what it did not finish must not count for the next."""
        if counts:
            self._in_backward = False
            self._stepped_inside = set()

    _latest = Micro()
    _losses: Sequence[Tensor] = ()
    _closure: Optimizer | None = None
    _running: Optimizer | None = None
    _stepped_inside: set[int] = set()  # noqa: RUF012 - replaced, never changed in place

    def _unscaled(self, root: Tensor) -> tuple[Tensor, Tensor]:
        """Return the graph root of the loss itself and its value, with GradScaler's factor taken out."""
        for reference, loss, _ in self.scaled:
            if reference() is root:
                self._step().scaled = True
                return loss, loss.detach()
        return root, root.detach()

    def _take_loss(self, step: OpenStep) -> None:
        values, self._losses = self._losses, ()
        micro, self._latest = self._latest, Micro()
        if not values:
            return
        if values[0].device.type != "cpu":
            step.device_losses += values
            return
        loss = float(sum(value.item() for value in values))
        if not (self._updating and step.losses and _reevaluates(self._running)):
            step.losses.append(loss)
        micro.loss = loss
        kept = step.micro.loss
        if micro is step.micro or kept is None or loss > kept or loss != loss:  # noqa: PLR0124 - NaN
            step.micro = micro
        if self._baseline.stands_out(loss):
            self._take_everything(step)

    def _take_everything(self, step: OpenStep) -> None:
        step.full = True
        self.dispatch.due = {sensor.name for sensor in self.dispatch.sensors}

    def scale_of(self, step: OpenStep) -> Tensor | None:
        """Return the loss scale that gradients still carry at this moment, None if they carry none."""
        return self.scaled[-1][2] if step.scaled and self.scaled else None

    # -- update -------------------------------------------------------------------------------------

    def clips(self, parameters: Sequence[Tensor]) -> None:
        """The job is about to clip gradients."""
        step = self.open
        if step is not None:
            self.dispatch.run("before_clip", step, parameters)

    def clipped(self, limit: float, norm: Tensor | None) -> None:
        """Gradients have been clipped; ``norm`` is what the job itself computed before, if it did."""
        if self.open is not None:
            self.dispatch.run("after_clip", self.open, limit, norm)

    def scaler_steps(self, scaler: Any) -> None:
        """GradScaler is about to update, or to skip the update."""
        self.dispatch.run("scaler", self._step(), scaler)

    def loader_begins(self, loader: Any, state: LoaderState) -> None:
        """A pass over a DataLoader begins."""
        self.dispatch.run("loader", loader, state)

    def update_begins(self, optimizer: Optimizer) -> None:
        """``optimizer.step`` has been called."""
        me = id(optimizer)
        if me in self._updating:
            # The earlier call never ended: it raised.
            self._updating.clear()
        self._updating.append(me)
        if len(self._updating) > 1:
            return
        self.optimizers.add(me)
        self._running = optimizer
        self.updates_begun += 1
        step = self._step()
        if me in step.stepped and not self._in_backward:
            step = self._close_for_next(step)
        if self._in_backward or step.micro_count > self._assigned:
            self._before_update(step, optimizer)
        else:
            # No backward since the last update: it comes from a closure, inside this call.
            self._closure = optimizer

    def _before_update(self, step: OpenStep, optimizer: Optimizer) -> None:
        self._closure = None
        self._assigned = step.micro_count
        self._measured.add(id(optimizer))
        self.dispatch.run("before_update", step, optimizer)

    def update_done(self, optimizer: Optimizer) -> None:
        """``optimizer.step`` has returned."""
        if not self._updating or self._updating.pop() != id(optimizer):
            self._updating.clear()
        if self._updating:
            return
        self._running = None
        step = self._step()
        if id(optimizer) not in self._measured:
            self._before_update(step, optimizer)
        self._measured.discard(id(optimizer))
        self._assigned = step.micro_count
        self.dispatch.run("after_update", step, optimizer)
        step.stepped.append(id(optimizer))
        if self._in_backward:
            self._stepped_inside = self._stepped_inside | {id(optimizer)}
            return
        self._cycle = self._cycle & self.optimizers | {id(optimizer)}
        if self._cycle <= set(step.stepped):
            self._close(step)

    def update_skipped(self, optimizer: Optimizer) -> None:
        """GradScaler found non-finite gradients and left the update out."""
        step = self._step()
        step.v["amp.skipped"] = 1
        self.dispatch.run("before_update", step, optimizer)
        self._close(step)

    # -- steps --------------------------------------------------------------------------------------

    def _step(self) -> OpenStep:
        if self.open is None:
            if not self.sink.claimed and self.sink.claim():
                self.lifecycle.claimed()
            self.open = OpenStep(self.index)
            self._assigned = 0
            self.dispatch.run("begin", self.open)
        return self.open

    def _close_for_next(self, step: OpenStep) -> OpenStep:
        """Close a step whose optimizer comes again; losses since its last update go to the next."""
        later = step.losses[self._assigned :]
        del step.losses[self._assigned :]
        count, micro = step.micro_count - self._assigned, step.micro
        step.micro_count = self._assigned
        self._cycle = set(step.stepped)
        self._close(step)
        following = self._step()
        following.losses, following.micro_count, following.micro = later, count, micro
        return following

    def _close(self, step: OpenStep) -> None:
        if step.losses:
            step.v["loss"] = sum(step.losses)
        elif step.device_losses:
            losses = torch.stack([loss.reshape(()) for loss in step.device_losses]).double().sum()
            step.later(losses, lambda numbers: self._device_loss(step, numbers[0]))
        step.v["loss.micro"] = step.micro_count
        self.dispatch.run("finish", step)
        now = perf_counter()
        took = None if self._mark is None else now - self._mark
        self._mark = now
        if took is not None:
            step.v["step.time"] = round(took, 7)
        spent = self.dispatch.take_spent()
        step.v["probe.time"] = round(spent, 7)
        self._account(took, spent)
        self.open = None
        self.index += 1
        self._measured.clear()
        self.scaled.clear()
        step.micro = Micro()
        self.progress.release()
        self._deferred.put(step)

    def _device_loss(self, step: OpenStep, loss: float) -> None:
        step.v["loss"] = loss
        if self._baseline.stands_out(loss) and self.open is not None:
            self._take_everything(self.open)

    def _account(self, took: float | None, spent: float) -> None:
        dispatch = self.dispatch
        sampled = {
            s.name: dispatch.cost[s.name] for s in dispatch.sensors if s.sampled and s.name in dispatch.due
        }
        for name in dispatch.cost:
            dispatch.cost[name] = 0.0
        self.budget.account(took, spent, sampled)
        self._choose_due(1)

    def _choose_due(self, ahead: int = 0) -> None:
        names = [sensor.name for sensor in self.dispatch.sensors if sensor.sampled]
        self.dispatch.due = self.budget.due(self.index + ahead, names)

    def _write(self, step: OpenStep) -> None:
        self.sink.write(step.record())

    def interrupted(self) -> None:
        """Something other than training went on until now: it is no part of the next step's time."""
        self._mark = perf_counter()

    # -- life ---------------------------------------------------------------------------------------

    def _alarmed(self, step: int) -> None:
        self.budget.alarm(max(step, self.index))

    def _switched_off(self, name: str, reason: str) -> None:
        self.event("probe.disabled", {"sensor": name, "error": reason})
        if name == "core":
            self._failures += 1
            if self._failures >= _CORE_FAILURES:
                self.patches.active = False

    def forked(self) -> None:
        """In a forked child: nothing under way, no file, no thread."""
        self.sink.forked()
        self._deferred.clear()
        self.open = None
        self._in_backward = False
        self._updating.clear()

    def finish(self) -> None:
        """The process ends or the probes are taken off: write what is known, take all hooks back."""
        global current  # noqa: PLW0603 - another session may begin after this one
        if current is self:
            current = None
        if self.open is not None and self.open.stepped:
            self._close(self.open)
        self.dispatch.run("end")
        self._deferred.drain()
        self.patches.undo()
        self.sink.close()


def _capturing() -> bool:
    """Whether a CUDA graph is being recorded: nothing may be added to it."""
    return cuda_in_use() and torch.cuda.is_current_stream_capturing()


def _reevaluates(optimizer: Any) -> bool:
    """Whether the optimizer calls its closure several times for one step."""
    return isinstance(optimizer, torch.optim.LBFGS)


current: Session | None = None


def begin(settings: Settings | None = None) -> Session:
    """Start the session of this process; while one runs, return that one.

    Args:
        settings: None for those of the environment.
    """
    global current  # noqa: PLW0603 - hooks are process-wide, so is their session
    if current is None:
        from .hooks import install

        current = Session(settings or Settings.from_environment())
        current.load_sensors()
        install(current)
        current.lifecycle.begun(os.getpid(), time.time())
    return current
