"""Finding the tensors in what a training loop passes round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

_MAX_TENSORS = 16
_TARGET_NAMES = ("labels", "label", "targets", "target", "y")
_DEVICE_BYTES = 64 << 20
_OUTPUT_BYTES = 4 << 20


def tensors_in(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
    """Yield (name, tensor) for the tensors in nested tuples, lists and mappings; names join with dots."""
    if isinstance(value, Tensor):
        yield name, value
    elif depth < 4 and isinstance(value, Mapping):
        for key, item in value.items():
            yield from tensors_in(item, f"{name}.{key}" if name else str(key), depth + 1)
    elif depth < 4 and isinstance(value, list | tuple) and len(value) <= _MAX_TENSORS:
        for place, item in enumerate(value):
            yield from tensors_in(item, f"{name}.{place}" if name else str(place), depth + 1)


def named_inputs(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[tuple[str, Tensor]]:
    """Return what a model was called with, the primary input first, targets left out.

    The primary input is the first one of floating type, else the first.
    """
    found = []
    for name, tensor in [*tensors_in(args), *tensors_in(kwargs)][:_MAX_TENSORS]:
        if name in _TARGET_NAMES or not _may_hold(tensor):
            continue
        found.append((name, tensor.detach() if tensor.requires_grad else tensor))
    for place, (_, tensor) in enumerate(found):
        if tensor.is_floating_point() and tensor.dim() >= 1:
            found.insert(0, found.pop(place))
            break
    return found


def targets_of(kwargs: Mapping[str, Any], inputs: Sequence[tuple[str, Tensor]], data: Any) -> list[Tensor]:
    """Return tensors that look like targets: by keyword, else what the loader gave beside the inputs."""
    named = [kwargs[name] for name in _TARGET_NAMES if isinstance(kwargs.get(name), Tensor)]
    if named:
        return named
    if isinstance(data, list | tuple) and len(data) >= 2 and isinstance(data[-1], Tensor):
        shown = {id(tensor) for _, tensor in inputs}
        return [data[-1]] if id(data[-1]) not in shown else []
    if isinstance(data, Mapping):
        return [data[name] for name in _TARGET_NAMES if isinstance(data.get(name), Tensor)]
    return []


def primary_output(output: Any) -> Tensor | None:
    """Return a model's main output without its graph, None when it is large or there is none."""
    if not isinstance(output, Tensor):
        logits = getattr(output, "logits", None)
        if logits is None and isinstance(output, Mapping):
            logits = output.get("logits")
        if logits is None:
            logits = next((t for _, t in tensors_in(output) if t.dim() >= 1), None)
        output = logits
    if not isinstance(output, Tensor) or output.numel() * output.element_size() > _OUTPUT_BYTES:
        return None
    return output.detach()


def loss_in(output: Any) -> Tensor | None:
    """Return the loss that a model hands out with its output, if it does."""
    found = getattr(output, "loss", None)
    if found is None and isinstance(output, Mapping):
        found = output.get("loss")
    if found is None and isinstance(output, tuple | list):
        found = next((item for item in output if isinstance(item, Tensor) and item.dim() == 0), None)
    if found is None and isinstance(output, Tensor) and output.dim() == 0:
        found = output
    valid = isinstance(found, Tensor) and found.numel() == 1 and found.is_floating_point()
    return found.detach().reshape(()) if valid and isinstance(found, Tensor) else None


def _may_hold(tensor: Tensor) -> bool:
    """Whether holding a tensor until the end of the step is harmless: memory on a device is scarce."""
    return tensor.device.type == "cpu" or tensor.numel() * tensor.element_size() <= _DEVICE_BYTES


def strided(tensor: Tensor, limit: int) -> Tensor:
    """Return at most about ``limit`` evenly spaced elements of a tensor, flat."""
    flat = tensor.reshape(-1)
    return flat if flat.numel() <= limit else flat[:: -(-flat.numel() // limit)]


def dense(tensor: Tensor) -> Tensor:
    """Return a tensor that plain arithmetic accepts: this rank's own part, dense, not quantized."""
    to_local: Any = getattr(tensor, "to_local", None)
    if to_local is not None:
        tensor = to_local()
    return tensor.to_dense() if tensor.layout is not torch.strided else tensor
