"""Everything the agent knows in one process: hooks report here, sensors look here."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..evidence import Eval, Value
from ..sensors.base import sensor_classes
from .dispatch import Dispatch
from .forwards import Forwards
from .lifecycle import Lifecycle
from .modelmap import ModelMap
from .patching import Patches
from .progress import LoaderState, Progress
from .settings import Settings
from .sink import Sink
from .stepping import Stepper
from .tensors import named_inputs, primary_output, targets_of

if TYPE_CHECKING:
    from torch.nn import Module

    from .step import Micro, OpenStep

_CORE_FAILURES = 5


class Session:
    """The agent in one process.

    Attributes:
        patches: what was replaced in torch.
        dispatch: the sensors.
        sink: where records go.
        progress: epoch and batch.
        model: outermost modules and the names of parameters.
        steps: the state machine that makes records of backward and update calls.
        gradients_on: gradients were enabled when a model last ran.
        evaluating: the model that last ran was not being trained.
        fresh_data: a loader handed out a batch between the last two calls of a model.
        callers: the models called with gradients since the last step, two at most.
        packs_tensors: what the graph saves goes through hooks (checkpointing, offloading); reading costs.
        forwards: sees modules run.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.patches = Patches()
        self.sink = Sink(settings, self._alarmed)
        self.dispatch = Dispatch(self._switched_off)
        self.progress = Progress(lambda epoch: self.event("epoch.begin", {"epoch": epoch}))
        self.model = ModelMap()
        self.steps = Stepper(self)
        self.lifecycle = Lifecycle(self)
        self.gradients_on = True
        self.evaluating = True
        self.forwards = Forwards(self)
        self._call: tuple[tuple[Any, ...], dict[str, Any], Any] | None = None
        self.callers: list[weakref.ref[Module]] = []
        self.packs_tensors = False
        self.fresh_data = False
        self._handed = 0
        self._failures = 0

    def load_sensors(self) -> None:
        """Find and install all sensors."""
        for sensor in sensor_classes(self.settings.folders):
            if sensor.name not in self.settings.off:
                self.dispatch.add(sensor(self))
        self.dispatch.take_everything()

    @property
    def index(self) -> int:
        """Optimizer steps so far."""
        return self.steps.index

    def claim(self) -> None:
        """This process trains: open its evidence file, unless that was done, and describe it."""
        if self.sink.claim():
            self.steps.index += self.sink.first_step
            self.lifecycle.claimed()

    def event(self, name: str, data: dict[str, Any]) -> None:
        """Write an event placed at the current step."""
        self.sink.event(name, self.steps.index, data)

    def write_eval(self, values: dict[str, Value]) -> None:
        """Write the result of a validation that the job itself hands in."""
        self.sink.write(Eval(self.steps.index, time.time(), self.progress.position(), values))

    # -- what hooks report --------------------------------------------------------------------------

    def forward_done(
        self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> None:
        """An outermost module returned; one that is run again inside backward is no new pass."""
        if self.steps.in_backward or not self.steps.settled or not self.model.saw(module):
            # Before the first whole step a module may look outermost only because its caller began unseen.
            return
        self.steps.quick.leave()
        self.gradients_on = torch.is_grad_enabled()
        self.fresh_data = self.progress.handed != self._handed
        self._handed = self.progress.handed
        if self.gradients_on:
            self.callers = [*self.callers[-1:], weakref.ref(module)]
            # Without its graph: a batch that is never trained on must not keep one alive.
            self._call = (args, kwargs, primary_output(output))
        if self.evaluating or not self.gradients_on or not module.training:
            self.dispatch.run("forward", module, output)

    def quickly_called(self, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor | None) -> None:
        """The model returned on a step that takes the short way."""
        self._call = (args, kwargs, output)
        self._handed = self.progress.handed
        self.forwards.called = True

    def quickly_ended(self) -> bool:
        """A step that took the short way is over; whether the next one may take it too."""
        self.progress.release()
        return self.forwards.quickly_ended()

    def take_micro(self, micro: Micro) -> None:
        """Fill in what the model was called with last, and forget it."""
        call, self._call = self._call, None
        if call is not None:
            args, kwargs, micro.outputs = call
            micro.inputs = named_inputs(args, kwargs)
            micro.targets = targets_of(kwargs, micro.inputs, self.progress.data)

    @property
    def batch_in_graph(self) -> bool:
        """Whether the graph alone shows a batch: no module is called, and nothing packs tensors."""
        return not self.model.roots and not self.packs_tensors

    def forget_call(self) -> None:
        """Let go of what the model was called with last."""
        self._call = None

    @property
    def inside_forward(self) -> bool:
        """Whether a model, not just a loss module, is computing right now."""
        stack = self.forwards.stack
        outer = stack[0] if stack else None
        module = outer() if outer is not None else None
        return module is not None and self.model.saw(module)

    def clips(self, parameters: Sequence[Tensor]) -> None:
        """The job is about to clip gradients."""
        if (step := self.steps.under_way) is not None:
            self.dispatch.run("before_clip", step, parameters)

    def clipped(self, limit: float, norm: Tensor | None) -> None:
        """Gradients have been clipped; ``norm`` is what the job itself computed before, if it did."""
        if (step := self.steps.under_way) is not None:
            self.dispatch.run("after_clip", step, limit, norm)

    def scaler_steps(self, scaler: Any) -> None:
        """GradScaler is about to update, or to skip the update."""
        self.dispatch.run("scaler", self.steps.step(), scaler)

    def loader_begins(self, loader: Any, state: LoaderState) -> None:
        """A pass over a DataLoader begins."""
        self.forwards.widen()
        self.dispatch.run("loader", loader, state)

    def alert(self) -> None:
        """Something is wrong: look closer at the next step."""
        self.dispatch.run("alerted")
        self.steps.look_closer()

    # -- what sensors ask ---------------------------------------------------------------------------

    def scale_of(self, step: OpenStep) -> Tensor | None:
        """Return the loss scale that gradients still carry at this moment, None if they carry none."""
        return self.steps.scaled[-1][2] if step.scaled and self.steps.scaled else None

    def interrupted(self) -> None:
        """Something other than training went on until now: it is no part of the next step's time."""
        self.steps.planner.restart()

    # -- life ---------------------------------------------------------------------------------------

    def _alarmed(self, step: int) -> None:
        self.steps.planner.budget.alarm(max(step, self.steps.index))

    def _switched_off(self, name: str, reason: str) -> None:
        self.event("probe.disabled", {"sensor": name, "error": reason})
        if name == "core":
            self._failures += 1
            if self._failures >= _CORE_FAILURES:
                self.patches.active = False

    def forked(self) -> None:
        """In a forked child: nothing under way, no file, no thread."""
        self.sink.forked()
        self.steps.reset()
        self._call = None

    def leave(self) -> None:
        """The process ends or the probes are taken off: end the step under way, take all hooks back."""
        global current  # noqa: PLW0603 - another session may begin after this one
        if current is self:
            current = None
        self.steps.finish()
        self.patches.undo()

    def settle(self) -> None:
        """Write what is left."""
        self.dispatch.run("end")
        self.steps.drain()
        self.sink.close()


current: Session | None = None


def begin(settings: Settings | None = None, claim: bool = False) -> Session:
    """Start the session of this process; while one runs, return that one.

    Args:
        settings: None for those of the environment.
        claim: open the evidence file now, not at the first step; for a process known to train.
    """
    global current  # noqa: PLW0603 - hooks are process-wide, so is their session
    if current is None:
        from .hooks import install

        current = Session(settings or Settings.from_environment())
        if claim:
            current.claim()
        current.load_sensors()
        install(current)
        current.lifecycle.begun(os.getpid(), time.time())
    return current
