"""What training code without loss modules, or without any module, leaves in the autograd graph.

A loss written out by hand keeps what its gradient needs just as a library's does: the chosen classes
next to log-probabilities, or the differences that are squared. The first layer keeps the batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

_MAX_NODES = 512
_MAX_INPUTS = 4
_LOG_SOFTMAX = "LogSoftmaxBackward0"
_BETWEEN = ("Squeeze", "Unsqueeze", "View", "Reshape", "UnsafeView", "ToCopy", "Select", "Neg", "Clone")
# Layers by the operation they leave: which argument is the input, and the name it is kept under.
_LAYERS = {
    "AddmmBackward0": (1, "_saved_mat1"),
    "MmBackward0": (0, "_saved_self"),
    "MvBackward0": (0, "_saved_self"),
    "BmmBackward0": (0, "_saved_self"),
    "ConvolutionBackward0": (0, "_saved_input"),
}


def chosen_classes(node: Any) -> tuple[Tensor, Tensor] | None:
    """Return log-probabilities [n, classes] and labels [n] where ``node`` picks the latter from the former.

    Seen are ``log_p[range(n), y]``, ``log_p.gather(1, y[:, None])`` and ``one_hot * log_p``.
    """
    parent = _parent(node, _LOG_SOFTMAX)
    if parent is None:
        return None
    logs = parent._saved_result
    if logs.dim() != 2:
        return None
    labels = _labels(node, logs)
    return None if labels is None or labels.shape != logs.shape[:1] else (logs, labels)


def _labels(node: Any, logs: Tensor) -> Tensor | None:
    name = node.name()
    if name == "IndexBackward0":
        indices = [index for index in node._saved_indices if index is not None]
        return indices[1] if len(indices) == 2 and not indices[1].is_floating_point() else None
    if name == "GatherBackward0" and node._saved_dim in (1, (1 << 64) - 1):
        index = node._saved_index
        return index.squeeze(1) if index.dim() == 2 and index.shape[1] == 1 else None
    if name == "MulBackward0":
        weights = next((w for w in (node._saved_self, node._saved_other) if w is not None), None)
        # A constant per class only weighs the classes; one row for each sample says which is right.
        return weights.abs().argmax(1) if weights is not None and weights.shape == logs.shape else None
    return None


def differences(node: Any, outputs: Tensor | None) -> tuple[str, Tensor, Tensor] | None:
    """Return ``mse`` or ``l1``, predictions and targets where ``node`` takes the size of their difference.

    The graph keeps the difference alone; together with what the model returned it gives the target,
    which has the shape of the difference.
    """
    if outputs is None:
        return None
    kept = _squared(node)
    parent = _parent(node, "SubBackward0", "RsubBackward1", "RsubBackward0")
    if kept is None or parent is None or kept.numel() != outputs.numel() or not kept.dim():
        return None
    prediction = outputs.detach().reshape(kept.shape)
    if kept.device.type == "cpu" and not prediction.isfinite().all():
        return None
    first = parent.next_functions[0][0] is not None and parent.name() == "SubBackward0"
    difference = kept.detach()
    kind = "l1" if node.name() == "AbsBackward0" else "mse"
    return kind, prediction, prediction - difference if first else prediction + difference


def _squared(node: Any) -> Tensor | None:
    name = node.name()
    square = name == "PowBackward0" and node._saved_exponent == 2
    product = name == "MulBackward0" and node.next_functions[0][0] is node.next_functions[1][0]
    return node._saved_self if square or product or name == "AbsBackward0" else None


def _parent(node: Any, *names: str) -> Any:
    """Return the operation that feeds ``node``, past changes of shape, if it is one of these."""
    parents = (_past_shapes(parent) for parent, _ in node.next_functions)
    return next((parent for parent in parents if parent is not None and parent.name() in names), None)


def _past_shapes(node: Any) -> Any:
    while node is not None and node.name().startswith(_BETWEEN):
        node = node.next_functions[0][0]
    return node


def batch_of(root: Tensor) -> list[tuple[str, Tensor]]:
    """Return what the first layers of a graph were given, the largest first; for code without modules.

    Must not be asked of a graph whose tensors are packed by hooks (activation checkpointing): reading
    one would compute it anew.
    """
    found = {tensor.data_ptr(): tensor for tensor in _given(root) if tensor.numel()}
    largest = sorted(found.values(), key=lambda tensor: -tensor.numel())
    return [(f"input{index}", tensor.detach()) for index, tensor in enumerate(largest[:_MAX_INPUTS])]


def _given(root: Tensor) -> Iterator[Tensor]:
    seen: set[Any] = set()
    queue: deque[Any] = deque([root.grad_fn])
    while queue and len(seen) < _MAX_NODES:
        node = queue.popleft()
        if node is None or node in seen:
            continue
        seen.add(node)
        yield from _leaf(node)
        queue.extend(parent for parent, _ in node.next_functions)


def _leaf(node: Any) -> Iterator[Tensor]:
    name, parents = node.name(), node.next_functions
    if name in _LAYERS:
        place, kept = _LAYERS[name]
        if parents[place][0] is None and getattr(node, kept) is not None:
            yield getattr(node, kept)
    elif name == "EmbeddingBackward0":
        yield node._saved_indices
    elif name == "IndexBackward0" and parents[0][0] is not None:
        # Rows of a weight picked by whole numbers: an embedding without its name.
        indices = [index for index in node._saved_indices if index is not None]
        weight = parents[0][0].name() == "torch::autograd::AccumulateGrad"
        if weight and len(indices) == 1 and not indices[0].is_floating_point():
            yield indices[0]
