"""Replacing functions of torch, seen from both sides of the call, so that all can be taken back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

from torch.compiler import is_compiling

Before: TypeAlias = Callable[[tuple[Any, ...], dict[str, Any]], Any]
Failed: TypeAlias = Callable[[Any, BaseException], None]
After: TypeAlias = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], None]

_ABSENT = object()


class Patches:
    """All replacements of one session.

    Callbacks handed in must not raise: `Dispatch.protect` sees to that.
    """

    def __init__(self) -> None:
        self.active = True
        self._undo: list[Callable[[], None]] = []
        self._places: list[tuple[Any, str, Any, Any]] = []

    def around(
        self,
        owner: Any,
        name: str,
        before: Before | None = None,
        after: After | None = None,
        failed: Failed | None = None,
    ) -> Callable[..., Any] | None:
        """Call ``before(args, kwargs)`` and ``after(token, result, args, kwargs)`` round ``owner.name``.

        ``token`` is what ``before`` returned. The original runs exactly once with the arguments it was
        given; what it raises is shown to ``failed(token, error)`` and passes through. Returns the
        original, or None when there is none.
        """
        original = getattr(owner, name, None)
        if original is None:
            return None
        own = vars(owner).get(name, _ABSENT)
        wrapper = _wrap(self, original, before, after, failed)
        setattr(owner, name, wrapper)
        self._undo.append(lambda: _restore(owner, name, wrapper, own))
        self._places.append((owner, name, wrapper, own))
        return original  # type: ignore[no-any-return]

    def put(self, owner: Any, name: str, wrapper: Any) -> None:
        """Replace ``owner.name`` until `take_back`."""
        self._places.append((owner, name, wrapper, vars(owner).get(name, _ABSENT)))
        setattr(owner, name, wrapper)

    def take_back(self, owner: Any, name: str) -> None:
        """Undo a `put`."""
        for place in [place for place in self._places if place[0] is owner and place[1] == name]:
            _restore(*place)
            self._places.remove(place)

    def on_undo(self, action: Callable[[], None]) -> None:
        """Run ``action`` when everything is taken back."""
        self._undo.append(action)

    def suspend(self) -> None:
        """Put the originals back for a while; hooks registered with torch stay."""
        for owner, name, wrapper, own in self._places:
            _restore(owner, name, wrapper, own)

    def resume(self) -> None:
        """End a `suspend`."""
        for owner, name, wrapper, _ in self._places:
            setattr(owner, name, wrapper)

    def undo(self) -> None:
        """Take everything back; a wrapper that another tool has wrapped since is left, inert."""
        self.active = False
        while self._undo:
            self._undo.pop()()
        self._places.clear()


def _restore(owner: Any, name: str, wrapper: Any, own: Any) -> None:
    if vars(owner).get(name) is not wrapper:
        return
    if own is _ABSENT:
        delattr(owner, name)
    else:
        setattr(owner, name, own)


def _wrap(
    patches: Patches,
    original: Callable[..., Any],
    before: Before | None,
    after: After | None,
    failed: Failed | None,
) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        # First, and alone: a compiler that traces this call must find nothing but the original.
        if is_compiling() or not patches.active:
            return original(*args, **kwargs)
        token = before(args, kwargs) if before else None
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            if failed:
                failed(token, error)
            raise
        if after:
            after(token, result, args, kwargs)
        return result

    # TorchScript cannot compile a wrapper, but it looks through functions that carry this mark.
    vars(wrapper)["__script_if_tracing_wrapper"] = True
    vars(wrapper)["__original_fn"] = original
    return wrapper
