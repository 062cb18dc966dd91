"""Checkpoints: what was saved and loaded, with the hash by which damage in between is found."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from ..agent.checkpoint_registry import Registry, contents
from ..agent.modelmap import fingerprint, parameters_of
from ..agent.surroundings import versions
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ..agent.step import OpenStep

_WAIT = 10.0
_NOTED = ("loss", "lr", "amp.scale", "scheduler.position", "update.ratio", "update.norm", "weight.norm")


class Checkpoints(Sensor):
    """Watches ``torch.save`` and ``torch.load``; files are read again for their hash on a thread."""

    name = "checkpoints"
    sampled = True
    always = ("meets",)
    FIELDS = (
        Field("checkpoint.save", "-", "path, sha256, bytes, step", "event", "torch.save wrote a file."),
        Field(
            "checkpoint.load",
            "-",
            "path, sha256, bytes, matches, saved, keys, error",
            "event",
            "torch.load read a file; matches: its hash equals the one noted at saving (null: none noted); "
            "saved: loss, rate, epoch and optimizer noted then.",
        ),
        Field(
            "weights.fingerprint",
            "-",
            "when, prints",
            "event",
            "Hash of some elements of an optimizer's parameters, of each optimizer: at its first update and at "
            "every torch.save.",
        ),
        Field(
            "resume",
            "-",
            "restored, left_out",
            "event",
            "State restored by load_state_dict before the step, of model, optimizer, scheduler, scaler; and what a loaded checkpoint held and nothing was restored from.",
        ),
    )

    def install(self) -> None:
        """Patch both functions and every ``load_state_dict``."""
        self._registry: Registry | None = None
        self._restored: dict[str, None] = {}
        self._offered: dict[str, bool] = {}
        self._state: dict[str, Any] = {}
        self._trained: list[weakref.ref[Optimizer]] = []
        protect, around = self.session.dispatch.protect, self.session.patches.around
        saved, loaded = protect(self._saved, self), protect(self._loaded, self)
        around(torch, "save", after=lambda _t, _r, args, kwargs: saved(args, kwargs))
        failed = protect(self._load_failed, self)
        around(
            torch,
            "load",
            before=lambda args, kwargs: (args, kwargs),
            after=lambda _t, result, args, kwargs: loaded(result, args, kwargs),
            failed=lambda token, error: failed(error, *token),
        )
        self._watch_restoring()

    def _watch_restoring(self) -> None:
        from torch.amp.grad_scaler import GradScaler
        from torch.optim import Optimizer, lr_scheduler

        kinds: list[tuple[Any, str]] = [
            (torch.nn.Module, "model"),
            (Optimizer, "optimizer"),
            (GradScaler, "scaler"),
        ]
        for kind in vars(lr_scheduler).values():
            own = isinstance(kind, type) and kind.__module__ == lr_scheduler.__name__
            if own and "load_state_dict" in vars(kind):
                kinds.append((kind, "scheduler"))
        for owner, what in kinds:
            self._watch_one(owner, what)

    def _watch_one(self, owner: Any, what: str) -> None:
        restored = self.session.dispatch.protect(self._restored_one, self)
        self.session.patches.around(owner, "load_state_dict", after=lambda _t, _r, _a, _k: restored(what))

    def _restored_one(self, what: str) -> None:
        self._restored[what] = None
        self.session.dispatch.listen(self, "begin", on=True)

    def begin(self, step: OpenStep) -> None:
        """Tell what has been restored since the last step."""
        self.session.dispatch.listen(self, "begin", on=False)
        if self._restored:
            stateful = ("model", "optimizer", "scheduler", "scaler")
            missing = [part for part in stateful if self._offered.get(part) and part not in self._restored]
            self.session.event("resume", {"restored": sorted(self._restored), "left_out": missing})
            # Weights alone are copied over and over, to a target network or an average, in the midst of training.
            if self._offered or "optimizer" in self._restored:
                self.session.lifecycle.describe()
                # What the first updates are like tells what was taken up again.
                self.session.steps.look_closer()
            self._restored.clear()
            self._offered = {}

    def meets(self, optimizer: Optimizer) -> None:
        """Note the weights that an optimizer begins with, to be told from those that were saved."""
        self._trained.append(weakref.ref(optimizer))
        self._note_weights("begin", [optimizer])

    def _note_weights(self, when: str, optimizers: list[Optimizer]) -> None:
        prints = [fingerprint(parameters_of(optimizer)) for optimizer in optimizers]
        self.session.event("weights.fingerprint", {"when": when, "prints": prints})

    def finish(self, step: OpenStep) -> None:
        """Remember what is measured on some steps only, to be noted with the next save."""
        self._remember(step)

    def _remember(self, step: OpenStep) -> None:
        for name in _NOTED:
            if name in step.v:
                self._state[name] = step.v[name]
        self._state["step"], self._state["epoch"] = step.index, step.epoch

    def _where(self) -> dict[str, Any]:
        if self.session.steps.last is not None:
            self._remember(self.session.steps.last)
        return {**self._state, "versions": versions()}

    def _saved(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        path = _path(args[1] if len(args) > 1 else kwargs.get("f"))
        alive = [optimizer for known in self._trained if (optimizer := known()) is not None]
        if alive:
            self._note_weights("save", alive)
        if path is not None:
            self._examine(path, "checkpoint.save", {"step": self.session.index}, self._where())

    def _loaded(self, result: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        path = _path(args[0] if args else kwargs.get("f"))
        if path is not None:
            keys = contents(result)
            self._offered = {part: self._offered.get(part, False) or held for part, held in keys.items()}
            self._examine(path, "checkpoint.load", {"keys": keys})

    def _load_failed(self, error: BaseException, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        path = _path(args[0] if args else kwargs.get("f"))
        if path is not None:
            self._examine(path, "checkpoint.load", {"keys": {}, "error": str(error)[:200]})

    def _examine(
        self, path: str, name: str, data: dict[str, Any], state: dict[str, Any] | None = None
    ) -> None:
        """Open the file now, as it may be renamed or removed, and hash it on a thread."""
        if self._registry is None:
            self._registry = Registry(self.session.settings.run)
        stream = open(path, "rb")  # noqa: SIM115 - closed by the thread that reads it
        step, before = self.session.index, self.session.sink.first_step

        def done(found: dict[str, Any]) -> None:
            # Where the steps of this process begin may have become known meanwhile.
            self.session.sink.event(name, step + self.session.sink.first_step - before, {**data, **found})

        self._registry.submit(stream, path, state, done)

    def end(self) -> None:
        """Wait a little for hashes under way."""
        if self._registry is not None:
            self._registry.wait(_WAIT)


def _path(target: Any) -> str | None:
    """Return the path behind what was handed to ``torch.save`` or ``torch.load``, if it is a real file."""
    if not isinstance(target, str | os.PathLike):
        target = getattr(target, "name", None)
    if not isinstance(target, str | os.PathLike):
        return None
    path = os.fspath(target)
    return path if isinstance(path, str) and os.path.isfile(path) else None
