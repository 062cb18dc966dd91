"""The hooks that every step is told from: forward, backward, update, clipping, scaling and loading.

Sensors patch what only they need; these are shared.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.compiler import is_compiling

if TYPE_CHECKING:
    from .session import Session


def install(session: Session) -> None:
    """Put all shared hooks in place; ``session.patches.undo`` takes them back."""
    for part in (_backward, _packing, _update, _forward, _loading, _scaling, _clipping):
        session.dispatch.protect(part)(session)


def _backward(session: Session) -> None:
    protect = session.dispatch.protect
    begins, done, failed = (
        protect(session.steps.backward_begins),
        protect(session.steps.backward_done),
        protect(session.steps.backward_failed),
    )
    quick = session.steps.quick
    failed_quickly = protect(quick.backward_failed)

    def before(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tensors = args[0] if args else kwargs["tensors"]
        if quick.on and quick.backward_begins(tensors):
            return quick
        return begins(tensors)

    def after(token: Any, _result: Any, _args: Any, _kwargs: Any) -> None:
        if token is quick:
            quick.backward_done()
        else:
            done(token)

    def after_failure(token: Any, _error: BaseException) -> None:
        if token is quick:
            failed_quickly()
        else:
            failed(token)

    session.patches.around(torch.autograd, "backward", before, after, after_failure)


def _packing(session: Session) -> None:
    def packs(_args: Any, _kwargs: Any) -> None:
        session.packs_tensors = True

    session.patches.around(torch.autograd.graph.saved_tensors_hooks, "__init__", before=packs)


def _update(session: Session) -> None:
    # Only an attribute of torch.optim once somebody has imported it.
    from torch.optim.optimizer import (
        register_optimizer_step_post_hook,
        register_optimizer_step_pre_hook,
    )

    begins = session.dispatch.protect(session.steps.update_begins)
    done = session.dispatch.protect(session.steps.update_done)

    quick = session.steps.quick

    def pre(optimizer: Any, *_: Any) -> None:
        if is_compiling() or not session.patches.active:
            return
        if quick.step is None or not quick.update_begins(optimizer):
            begins(optimizer)

    def post(optimizer: Any, *_: Any) -> None:
        if is_compiling() or not session.patches.active:
            return
        if quick.step is None or not quick.update_done():
            done(optimizer)

    session.patches.on_undo(register_optimizer_step_pre_hook(pre).remove)
    session.patches.on_undo(register_optimizer_step_post_hook(post).remove)


def _forward(session: Session) -> None:
    session.forwards.install()
    _keep_quiet(session)


def _keep_quiet(session: Session) -> None:
    """Keep torch.compile from warning the user about hooks that are ours, and count for nothing there."""
    import warnings

    message = "Using `torch.compile\\(module\\)` when there are global hooks on modules"
    warnings.filterwarnings("ignore", message=message)
    entry = warnings.filters[0]

    def restore() -> None:
        if entry in warnings.filters:
            warnings.filters.remove(entry)  # type: ignore[attr-defined]  # a list, whatever the stubs say

    session.patches.on_undo(restore)


def _loading(session: Session) -> None:
    from torch.utils.data.dataloader import DataLoader, _BaseDataLoaderIter

    protect = session.dispatch.protect

    def iterated(_token: Any, iterator: Any, args: tuple[Any, ...], _kwargs: Any) -> None:
        session.loader_begins(args[0], session.progress.iterated(args[0], iterator))

    def handed_out(_token: Any, data: Any, args: tuple[Any, ...], _kwargs: Any) -> None:
        session.progress.handed_out(args[0], data)

    session.patches.around(DataLoader, "__iter__", after=protect(iterated))
    session.patches.around(_BaseDataLoaderIter, "__next__", after=protect(handed_out))


def _scaling(session: Session) -> None:
    from torch.amp.grad_scaler import GradScaler

    protect = session.dispatch.protect

    def scaled(_token: Any, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        scaler, loss = args[0], args[1] if len(args) > 1 else kwargs["outputs"]
        if scaler.is_enabled() and isinstance(loss, Tensor) and isinstance(result, Tensor):
            session.steps.scaled.append((weakref.ref(result), loss, scaler._scale))

    def unscaled(_token: Any, _result: Any, _args: Any, _kwargs: Any) -> None:
        if (step := session.steps.under_way) is not None:
            step.scaled = False

    def before_step(args: tuple[Any, ...], _kwargs: Any) -> int:
        if args[0].is_enabled():
            session.scaler_steps(args[0])
        return session.steps.updates_begun

    def after_step(begun: int, _result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        optimizer = args[1] if len(args) > 1 else kwargs["optimizer"]
        if args[0].is_enabled() and session.steps.updates_begun == begun:
            session.steps.update_skipped(optimizer)

    session.patches.around(GradScaler, "scale", after=protect(scaled))
    session.patches.around(GradScaler, "unscale_", after=protect(unscaled))
    session.patches.around(GradScaler, "step", before=protect(before_step), after=protect(after_step))


def _clipping(session: Session) -> None:
    from torch.nn.utils import clip_grad

    protect = session.dispatch.protect

    def before(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        session.clips(_tensors(args[0] if args else kwargs["parameters"]))

    def by_norm(_token: Any, _result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        limit = args[1] if len(args) > 1 else kwargs["max_norm"]
        norm = args[2] if len(args) > 2 else kwargs.get("total_norm")
        session.clipped(limit, norm)

    def whole(_token: Any, result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        session.clipped(args[1] if len(args) > 1 else kwargs["max_norm"], result)

    def by_value(_token: Any, _result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        session.clipped(args[1] if len(args) > 1 else kwargs["clip_value"], None)

    around: Callable[..., Any] = session.patches.around
    # The inner function is looked up at each call, so importers of clip_grad_norm_ by name are seen too.
    if hasattr(clip_grad, "_clip_grads_with_norm_"):
        around(clip_grad, "_clip_grads_with_norm_", before=protect(before), after=protect(by_norm))
        around(torch.nn.utils, "clip_grads_with_norm_", before=protect(before), after=protect(by_norm))
    else:
        for owner in (clip_grad, torch.nn.utils):
            around(owner, "clip_grad_norm_", before=protect(before), after=protect(whole))
    for owner in (clip_grad, torch.nn.utils):
        around(owner, "clip_grad_value_", before=protect(before), after=protect(by_value))


def _tensors(parameters: Any) -> list[Tensor]:
    """Return a list; a generator is left alone, since the job has yet to use it."""
    if isinstance(parameters, Tensor):
        return [parameters]
    return list(parameters) if isinstance(parameters, list | tuple) else []
