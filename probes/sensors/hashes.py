"""Fingerprints of the samples in a batch: repeated, constant and reordered data show in them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from ..agent.tensors import tensors_in
from ..evidence import Field
from .base import Sensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..agent.step import OpenStep

_WORDS = 4096
_ROWS = 64
_MAX_BYTES = 256 << 20


class Hashes(Sensor):
    """Hashes rows on the CPU: from the model's inputs, or from the loader's batch before it moved."""

    name = "hashes"
    sampled = True
    FIELDS = (
        Field("batch.hash", "16 hex digits", "text", "sampled", "Of the primary input as a whole."),
        Field(
            "batch.sample_hashes",
            "16 hex digits",
            "list[<=64]",
            "sampled",
            "Of the first rows of the primary input.",
        ),
        Field(
            "batch.duplicates", "share", "scalar", "sampled", "Rows of the batch equal to another row of it."
        ),
    )

    def finish(self, step: OpenStep) -> None:
        """Hash the primary input."""
        tensor = self._primary(step)
        if tensor is None:
            return
        rows = row_hashes(tensor)
        step.v["batch.hash"] = f"{int(combined(rows)):016x}"
        step.v["batch.sample_hashes"] = [f"{int(row):016x}" for row in rows[:_ROWS]]
        _, counts = np.unique(rows, return_counts=True)
        step.v["batch.duplicates"] = float(counts[counts > 1].sum() / len(rows))

    def _primary(self, step: OpenStep) -> Tensor | None:
        inputs = step.micro.inputs if step.micro is not None else []
        candidates = [tensor for _, tensor in inputs[:1]]
        candidates += [tensor for _, tensor in tensors_in(self.session.progress.data)][:1]
        for tensor in candidates:
            plain = tensor.device.type == "cpu" and tensor.dim() >= 1 and tensor.numel() > 0
            if plain and tensor.numel() * tensor.element_size() <= _MAX_BYTES:
                return tensor
        return None


def row_hashes(tensor: Tensor) -> NDArray[np.uint64]:
    """Return a 64-bit hash of each row [n], the same in every process.

    A row is read as machine words, of which at most 4,096 evenly spaced ones count, and hashed by
    multiply-and-add with fixed odd numbers (Dietzfelbinger et al., 1997), then mixed.
    """
    words = _words(tensor)
    if words.shape[1] > _WORDS:
        words = words[:, :: -(-words.shape[1] // _WORDS)]
    with np.errstate(over="ignore"):
        sums = words.astype(np.uint64, copy=False) @ _multipliers(words.shape[1])
        return _mix(sums)


def combined(rows: NDArray[np.uint64]) -> np.uint64:
    """Return one hash for rows in their order."""
    with np.errstate(over="ignore"):
        total: np.uint64 = (rows * _multipliers(len(rows))).sum(dtype=np.uint64)
        return np.uint64(_mix(np.array([total], dtype=np.uint64))[0])


def _words(tensor: Tensor) -> NDArray[np.generic]:
    """View a tensor as unsigned words [n, words], as wide as its rows allow."""
    import torch

    rows = tensor.detach().contiguous().reshape(tensor.shape[0], -1)
    octets: NDArray[np.uint8] = rows.view(torch.uint8).numpy() if rows.element_size() > 1 else _octets(rows)
    width = octets.shape[1]
    for size, kind in ((8, np.uint64), (4, np.uint32), (2, np.uint16)):
        if width % size == 0:
            return octets.view(kind)
    return octets


def _octets(rows: Tensor) -> NDArray[np.uint8]:
    import torch

    view: NDArray[np.uint8] = rows.view(torch.uint8).numpy()
    return view


@lru_cache(maxsize=64)
def _multipliers(count: int) -> NDArray[np.uint64]:
    """Return ``count`` fixed odd numbers: splitmix64 of 1, 2, 3, ..."""
    with np.errstate(over="ignore"):
        return _mix(np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of splitmix64 (Steele, Lea and Flood, 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
