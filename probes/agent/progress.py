"""Which epoch and batch the job is in, told from its data loaders."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any


class LoaderState:
    """What is known of one DataLoader.

    Attributes:
        passes: iterations begun on it.
        batch: index of the batch it handed out last, from 0.
        length: batches of one pass, None when the loader cannot tell.
        trains: a batch of it has been trained on.
    """

    def __init__(self, loader: Any) -> None:
        self.loader = weakref.ref(loader)
        self.passes = 0
        self.batch = -1
        self.length = _length(loader)
        self.trains = False
        self.described = False


class Progress:
    """Follows loaders and counts epochs: one epoch is one pass over the loader that is trained on.

    Args:
        began: called with the epoch's number, from 0, when its first batch is trained on.
    """

    def __init__(self, began: Callable[[int], None]) -> None:
        self.epoch = -1
        self.last: LoaderState | None = None
        """The loader that handed out the latest batch."""
        self.data: Any = None
        """That batch, until the step is over."""
        self.handed = 0
        """Batches that loaders have handed out."""
        self._position: float | None = None
        self._began = began
        self._states: weakref.WeakKeyDictionary[Any, LoaderState] = weakref.WeakKeyDictionary()
        self._iterators: weakref.WeakKeyDictionary[Any, LoaderState] = weakref.WeakKeyDictionary()
        self._pass: tuple[int, int] | None = None
        self._training: LoaderState | None = None
        self._fresh: set[int] = set()

    def iterated(self, loader: Any, iterator: Any) -> LoaderState:
        """A pass over ``loader`` begins."""
        state = self._states.get(loader)
        if state is None:
            state = self._states[loader] = LoaderState(loader)
        state.passes += 1
        state.batch = -1
        self._iterators[iterator] = state
        return state

    def handed_out(self, iterator: Any, data: Any) -> LoaderState:
        """``iterator`` returned a batch."""
        state = self._iterators.get(iterator)
        if state is None:
            # The pass began before the probes came.
            state = LoaderState(iterator)
            state.length = _length(getattr(iterator, "_index_sampler", None))
            state.passes = 1
            self._iterators[iterator] = state
        state.batch = int(getattr(iterator, "_num_yielded", state.batch + 2)) - 1
        self.last, self.data = state, data
        self.handed += 1
        self._fresh.add(id(state))
        return state

    def trained(self) -> tuple[float | None, int | None]:
        """A backward has begun: return (epoch as a number, batch), None where no loader is used."""
        state = self._choose()
        self._fresh.clear()
        if state is None:
            return None, None
        state.trains = True
        current = (id(state), state.passes)
        if current != self._pass:
            self._pass = current
            self.epoch += 1
            self._began(self.epoch)
        share = state.batch / state.length if state.length else 0.0
        done = (state.batch + 1) / state.length if state.length else 1.0
        self._position = self.epoch + min(done, 1.0)
        return self.epoch + min(share, 1.0), state.batch

    def position(self) -> float | None:
        """Return the epochs done, the running share included, after the latest step."""
        return self._position

    def _choose(self) -> LoaderState | None:
        """Stay with the loader trained on so far if it gave a batch, else take the latest one."""
        training = self._training
        if training is not None and (id(training) in self._fresh or not self._fresh):
            return training
        if self.last is not None:
            self._training = self.last
        return self._training

    def release(self) -> None:
        """Let go of the batch."""
        self.data = None


def _length(loader: Any) -> int | None:
    try:
        return len(loader)
    except (TypeError, NotImplementedError):
        return None
