"""Finding model, optimizer, schedulers and loaders in a process that trains already.

Looks through the variables of the main thread's frames, which takes well under a millisecond where a
search of all objects would take a tenth of a second.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from .session import Session

_MAX_FRAMES = 60
_MAX_VALUES = 4000
_MAX_ATTRIBUTES = 200
_EPOCH_NAMES = ("epoch", "current_epoch", "ep", "epoch_idx", "epoch_num", "e")


def survey(session: Session) -> dict[str, Any]:
    """Show the session what the process trains, and return a summary.

    The step under way is seen from its middle: the session drops it.
    """
    found = _Found()
    for value in _values(_training_frame()):
        found.take(value)
    epoch = _epoch(_training_frame())
    if epoch is not None:
        session.progress.epoch = epoch - 1
    for model in found.outermost():
        session.model.saw(model)
    session.steps.discard_first()
    for sensor in session.dispatch.sensors:
        sensor.adopt(found.schedulers, found.loaders)
    summary = {
        "models": [type(model).__name__ for model in found.outermost()],
        "optimizers": [type(optimizer).__name__ for optimizer in found.optimizers],
        "schedulers": [type(scheduler).__name__ for scheduler in found.schedulers],
        "loaders": len(found.loaders),
        "scalers": len(found.scalers),
        "epoch": epoch,
        "optimizer_step": _optimizer_step(found.optimizers),
        "threads": threading.active_count(),
        "unseen": _unseen(),
    }
    session.event("attached", summary)
    return summary


def models() -> list[nn.Module]:
    """Return the outermost models among the variables of the main thread."""
    found = _Found()
    for value in _values(_training_frame()):
        found.take(value)
    return found.outermost()


class _Found:
    def __init__(self) -> None:
        self._models: dict[int, nn.Module] = {}
        self.optimizers: list[torch.optim.Optimizer] = []
        self.schedulers: list[Any] = []
        self.loaders: list[Any] = []
        self.scalers: list[Any] = []
        self._seen: set[int] = set()

    def take(self, value: Any) -> None:
        """Sort in one value."""
        if id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, nn.Module):
            if next(value.parameters(), None) is not None:
                self._models[id(value)] = value
        elif isinstance(value, torch.optim.Optimizer):
            self.optimizers.append(value)
        elif isinstance(value, torch.optim.lr_scheduler.LRScheduler):
            self.schedulers.append(value)
        elif isinstance(value, torch.utils.data.DataLoader):
            self.loaders.append(value)
        elif isinstance(value, torch.amp.GradScaler):
            self.scalers.append(value)

    def outermost(self) -> list[nn.Module]:
        """Return the models that are part of no other one."""
        inner = {id(m) for model in self._models.values() for m in model.modules() if m is not model}
        return [model for key, model in self._models.items() if key not in inner]


def _training_frame() -> FrameType | None:
    """Return the main thread's frame, beyond those of the agent itself."""
    main = threading.main_thread().ident
    frame = sys._current_frames().get(main) if main is not None else None
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
    return frame


def _is_ours(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    return name.startswith(("spikelore", "_spikelore"))


def _values(frame: FrameType | None) -> Iterator[Any]:
    """Yield the values of all frames' variables, then what plain objects among them hold."""
    count = 0
    holders: list[Any] = []
    for scope in _scopes(frame):
        for value in list(scope.values()):
            count += 1
            if count > _MAX_VALUES:
                return
            yield value
            if _may_hold(value):
                holders.append(value)
    for holder in holders:
        for value in list(vars(holder).values())[:_MAX_ATTRIBUTES]:
            yield value
            if isinstance(value, list | tuple) and len(value) <= 16:
                yield from value


def _may_hold(value: Any) -> bool:
    """Whether to look into an object: one of the job's own, such as a trainer."""
    return (
        hasattr(value, "__dict__")
        and not isinstance(value, type | torch.Tensor)
        and not inspect.isroutine(value)
        and not inspect.ismodule(value)
        and not type(value).__module__.startswith(("torch.", "builtins"))
    )


def _scopes(frame: FrameType | None) -> Iterator[dict[str, Any]]:
    """Yield each frame's variables; globals once."""
    shown: set[int] = set()
    for _ in range(_MAX_FRAMES):
        if frame is None:
            return
        if frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            snapshot = frame.f_locals
            yield dict(snapshot)
            if isinstance(snapshot, dict):
                # Up to Python 3.12 the frame keeps this copy, and with it everything in it, for as long
                # as the function runs. Emptying the copy does not touch the variables.
                snapshot.clear()
        if id(frame.f_globals) not in shown:
            shown.add(id(frame.f_globals))
            yield frame.f_globals
        frame = frame.f_back


def _epoch(frame: FrameType | None) -> int | None:
    """Return the innermost variable that is called like an epoch counter."""
    for scope in _scopes(frame):
        for name in _EPOCH_NAMES:
            value = scope.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                return value
    return None


def _optimizer_step(optimizers: list[torch.optim.Optimizer]) -> int | None:
    """Return the number of updates that an optimizer's own state has counted, on a CPU."""
    for optimizer in optimizers:
        for state in optimizer.state.values():
            step = state.get("step")
            if isinstance(step, torch.Tensor) and step.device.type == "cpu":
                return int(step.item())
            if isinstance(step, int):
                return step
            break
    return None


def _unseen() -> list[str]:
    """Say what probes that come late cannot see."""
    notes = ["loss functions that the job imported by name before: their validation losses"]
    counters = getattr(sys.modules.get("torch._dynamo.utils"), "counters", {})
    if counters and counters["frames"].get("total"):
        notes.append("losses and modules inside code that was compiled before")
    return notes
