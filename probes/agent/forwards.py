"""Sees the outermost modules run, at as little cost to the modules inside them as possible.

A hook on the module itself would be pickled with the user's model and copied with it. Hooks on all modules
leave no trace in any, but send every module of a deep model down the slow path of ``Module.__call__``. So
they are used until the outermost modules are known; then ``__call__`` of their classes is replaced, and
the modules inside run as without probes. The hooks come back whenever something new may run: a pass over
a loader begins, an optimizer is met, a loss is computed without gradients, or a step ends in which no
known module was called.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from operator import itemgetter
from types import FrameType, MethodType
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.compiler import is_compiling
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

if TYPE_CHECKING:
    from .session import Session

LOOK_STEPS = 8
"""Steps for which all modules are watched before only the outermost ones are."""

_is_tracing: Callable[[], bool] = torch._C._is_tracing


class Forwards:
    """Watches modules run.

    Attributes:
        stack: modules under way, the outermost by weak reference.
        between: a backward has ended since a module was last called.
        called: a module was called in the step under way.
        wide: hooks on all modules are in place.
        quick: takes the calls of the model on steps where nothing is due.
    """

    def __init__(self, session: Session) -> None:
        self.stack: list[weakref.ref[nn.Module] | None] = []
        self.between = True
        self.called = False
        self.wide = False
        self._session = session
        self.quick = session.steps.quick
        self._done: Callable[..., Any] = session.dispatch.protect(session.forward_done)
        self._handles: list[Any] = []
        self._classes: list[tuple[type[nn.Module], str]] = []
        self._further: set[type[nn.Module]] = set()
        """Classes of models that were found only while their insides ran."""
        self._narrow_at = 0
        self._stranger = False

    def install(self) -> None:
        """Put the hooks in place."""
        self.widen()
        self._session.patches.on_undo(self._remove)

    def widen(self) -> None:
        """Watch all modules for a while."""
        self._narrow_at = self._session.index + LOOK_STEPS
        self._session.steps.quick.leave()
        if not self.wide and self._session.patches.active and not _compiled():
            self._release_classes()
            self._handles = [
                register_module_forward_pre_hook(self.begins),
                register_module_forward_hook(self.ends, with_kwargs=True),
            ]
            self.wide = True

    def step_ended(self) -> None:
        """Choose how the next step is watched."""
        called, self.called = self.called, False
        if not self.wide:
            if self._stranger or not called:
                self._stranger = False
                self.widen()
        elif self._session.index >= self._narrow_at:
            self._narrow(called)

    def quickly_ended(self) -> bool:
        """A step that took the short way is over; whether it went as known."""
        if self.called and not self._stranger:
            self.called = False
            return True
        self.step_ended()
        return False

    def _narrow(self, called: bool) -> None:
        classes = {type(root) for root in self._session.model.roots} | self._further
        settled = called and not self.stack and not self._session.evaluating
        if not settled or not classes or _compiled() or any(_is_scripted(kind) for kind in classes):
            self._narrow_at = self._session.index + LOOK_STEPS
            return
        self._remove_hooks()
        for kind in classes:
            self._watch(kind)

    def watches(self, module: nn.Module) -> bool:
        """Whether a module of a watched class is one of the outermost, or inside of one.

        One that another module calls is part of a model that is not watched: that one is from its next call
        on, and all modules are from the next step on.
        """
        if (self.stack and not self.between) or self._session.model.knows(module):
            return True
        outer = _outermost_running()
        if outer is None:
            return True
        self._stranger = True
        self._further.add(type(outer))
        self._watch(type(outer))
        return False

    def _watch(self, kind: type[nn.Module]) -> None:
        if not _is_scripted(kind) and all(kind is not known for known, _ in self._classes):
            self._classes.append((kind, "__call__"))
            self._session.patches.put(kind, "__call__", _Call(kind, self))

    def begins(self, module: nn.Module, _args: Any = None) -> None:
        """A module has been called."""
        if is_compiling() or _is_tracing():
            # What is recorded as a graph must not hold operations of ours.
            return
        stack = self.stack
        if stack and (self.between or _same(stack[0], module)):
            # An earlier forward raised, and its end was never seen.
            stack.clear()
        self.between = False
        if stack:
            stack.append(None)
        else:
            self.called = True
            stack.append(weakref.ref(module))

    def ends(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        """A module has returned."""
        stack = self.stack
        if not stack or is_compiling() or _is_tracing():
            return
        stack.pop()
        if not stack and self._session.patches.active and not _generated(module):
            self._done(module, args, kwargs, output)

    def _remove_hooks(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self.wide = False

    def _release_classes(self) -> None:
        for kind, name in self._classes:
            self._session.patches.take_back(kind, name)
        self._classes.clear()

    def _remove(self) -> None:
        self._remove_hooks()
        self._release_classes()


class _Call:
    """Stands for ``__call__`` in a class of the user's; whoever pickles that class gets the original."""

    def __init__(self, kind: type[nn.Module], forwards: Forwards) -> None:
        own: Any = vars(kind).get("__call__")
        self._own = own
        quick = forwards.quick

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            # Looked up at each call where it is inherited: somebody may have replaced it since.
            inherited: Any = super(kind, module)
            original = inherited.__call__ if own is None else own.__get__(module)
            if quick.inside or is_compiling() or _is_tracing():
                return original(*args, **kwargs)
            if quick.on and quick.takes(module):
                quick.inside = True
                try:
                    output = original(*args, **kwargs)
                finally:
                    quick.inside = False
                quick.called(args, kwargs, output)
                return output
            if not forwards.watches(module):
                return original(*args, **kwargs)
            forwards.begins(module)
            output = original(*args, **kwargs)
            forwards.ends(module, args, kwargs, output)
            return output

        self._call = call

    def __get__(self, module: nn.Module | None, kind: type[nn.Module]) -> Any:
        return self if module is None else MethodType(self._call, module)

    def __call__(self, module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        """Called through the class, as ``super().__call__`` of a class that derives from it may end up."""
        return self._call(module, *args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._own is None:
            return getattr, (nn.Module, "__call__")
        return itemgetter(0), ((self._own,),)


def _outermost_running() -> nn.Module | None:
    """Return the outermost module that is running, told from the frames: for calls that are rare."""
    found = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code is nn.Module._call_impl.__code__:
            found = frame
        frame = frame.f_back
    module = found.f_locals.get("self") if found is not None else None
    return module if isinstance(module, nn.Module) else None


def _compiled() -> bool:
    """Whether torch.compile has been at work: its graphs are made again when hooks come or go."""
    frames = sys.modules.get("torch._dynamo.convert_frame")
    return frames is not None and bool(getattr(frames, "FRAME_COUNTER", 1))


def _is_scripted(kind: type[nn.Module]) -> bool:
    return issubclass(kind, torch.jit.ScriptModule)


def _same(outer: weakref.ref[Any] | None, module: Any) -> bool:
    """Whether the outermost module under way is this one again, or gone."""
    alive = outer() if outer is not None else None
    return alive is None or alive is module


def _generated(module: Any) -> bool:
    """Whether a compiler made the module: its parameters belong to a real one."""
    return type(module).__name__ in ("GraphModule", "GraphModuleImpl") or isinstance(
        module, torch.fx.GraphModule
    )
