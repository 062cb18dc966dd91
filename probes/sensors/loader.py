"""Data loaders: how batches are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from ..agent.progress import LoaderState


class Loader(Sensor):
    """Describes each DataLoader when a pass over it first begins."""

    name = "loader"
    FIELDS = (
        Field(
            "loader",
            "-",
            "batch_size, shuffle, drop_last, workers, sampler, length, dataset, dataset_size",
            "event",
            "A DataLoader, at its first pass.",
        ),
        Field(
            "epoch.begin",
            "-",
            "epoch",
            "event",
            "A pass over the training loader begins; epochs count from 0.",
        ),
    )

    def install(self) -> None:
        """Loaders made anew for every epoch are described once."""
        self._seen: list[dict[str, Any]] = []

    def loader(self, loader: Any, state: LoaderState) -> None:
        """Describe a loader that has not been yet."""
        if state.described:
            return
        state.described = True
        found = describe(loader, state.length)
        if found not in self._seen and len(self._seen) < 16:
            self._seen.append(found)
            self.session.event("loader", found)


def describe(loader: Any, length: int | None) -> dict[str, Any]:
    """Return the settings of a DataLoader."""
    sampler = getattr(loader, "sampler", None)
    try:
        size: int | None = len(loader.dataset)
    except TypeError:
        size = None
    return {
        "batch_size": loader.batch_size,
        "shuffle": type(sampler).__name__ == "RandomSampler" or bool(getattr(sampler, "shuffle", False)),
        "drop_last": bool(loader.drop_last),
        "workers": loader.num_workers,
        "sampler": type(sampler).__name__,
        "length": length,
        "dataset": type(loader.dataset).__name__,
        "dataset_size": size,
    }
