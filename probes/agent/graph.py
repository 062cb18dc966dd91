"""Reading losses, targets and predictions from the autograd graph of a backward root.

The graph keeps what a loss needs for its gradient, so the very predictions and targets that are
optimized are there, whatever the training code calls its variables. Read before backward frees them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .handwritten import chosen_classes, differences

if TYPE_CHECKING:
    from torch import Tensor

# Operations that may stand between a loss and the backward root without being a loss themselves.
_THROUGH = (
    *("Div", "Mul", "Add", "Sub", "Sum", "Mean", "Neg", "View", "ToCopy", "Squeeze", "Alias", "Select"),
    *("Reshape", "Unsqueeze", "Clone", "Stack", "UnsafeView", "Index"),
)
_LOSSES = {
    "NllLossBackward0": "nll",
    "NllLoss2DBackward0": "nll",
    "BinaryCrossEntropyWithLogitsBackward0": "bce_logits",
    "BinaryCrossEntropyBackward0": "bce",
    "MseLossBackward0": "mse",
    "SmoothL1LossBackward0": "smooth_l1",
    "HuberLossBackward0": "huber",
}
_MAX_NODES = 48
_MAX_TERMS = 4
HELD_BYTES = 4 << 20
"""Predictions above this size are held as evenly spaced rows only."""


@dataclass
class LossTerm:
    """One loss of the graph.

    Attributes:
        kind: ``nll`` (prediction holds log-probabilities [n, classes]), ``bce_logits``, ``bce``,
            ``mse``, ``l1``, ``smooth_l1`` or ``huber``.
        prediction: [n, ...], evenly spaced rows of it when it is large.
        target: [n, ...], the same rows.
        ignore: class that the loss leaves out, or None.
    """

    kind: str
    prediction: Tensor
    target: Tensor
    ignore: int | None = None


def divisor(root: Tensor) -> float | None:
    """Return N where the training code divides the loss by a plain number N, else None."""
    node = root.grad_fn
    if node is None or node.name() != "DivBackward0":
        return None
    other = getattr(node, "_saved_other", None)
    # A plain number is kept as a CPU scalar; a device tensor would have to be waited for.
    if other is None or other.device.type != "cpu" or other.numel() != 1:
        return None
    return float(other)


def loss_terms(root: Tensor, outputs: Tensor | None = None) -> list[LossTerm]:
    """Return the losses that feed ``root``, nearest first, at most a few.

    Args:
        outputs: what the model returned; a squared difference written by hand can be told with it only.
    """
    terms: list[LossTerm] = []
    queue: list[Any] = [root.grad_fn]
    for _ in range(_MAX_NODES):
        if not queue or len(terms) >= _MAX_TERMS:
            break
        node = queue.pop(0)
        if node is None:
            continue
        name = node.name()
        if name in _LOSSES:
            terms.append(_term(_LOSSES[name], node))
        elif (term := _written_out(node, outputs)) is not None:
            terms.append(term)
        elif name.startswith(_THROUGH):
            queue.extend(parent for parent, _ in node.next_functions)
    return terms


def _term(kind: str, node: Any) -> LossTerm:
    prediction, target = node._saved_self, node._saved_target
    if kind == "nll" and prediction.dim() > 2:
        prediction = prediction.movedim(1, -1).flatten(0, -2)
        target = target.flatten()
    ignore = getattr(node, "_saved_ignore_index", None)
    if ignore is not None and ignore >= 1 << 63:
        # The binding shows a negative index as an unsigned number.
        ignore -= 1 << 64
    return LossTerm(kind, *bounded(prediction, target), ignore)


def _written_out(node: Any, outputs: Tensor | None) -> LossTerm | None:
    """Return the loss that the training code computes itself at ``node``, if it is one."""
    if (picked := chosen_classes(node)) is not None:
        return LossTerm("nll", *bounded(*picked))
    if (pair := differences(node, outputs)) is not None:
        return LossTerm(pair[0], *bounded(*pair[1:]))
    return None


def bounded(prediction: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return both without their graph, cut to evenly spaced rows when they are large."""
    prediction, target = prediction.detach(), target.detach()
    size = prediction.numel() * prediction.element_size()
    if size <= HELD_BYTES or prediction.dim() == 0 or not prediction.shape[0]:
        return prediction, target
    every = -(-size // HELD_BYTES)
    if target.dim() and target.shape[0] == prediction.shape[0]:
        target = target[::every].clone()
    return prediction[::every].clone(), target


ACTIVATIONS = ("Relu", "Sigmoid", "Tanh", "Gelu", "Silu", "Elu", "LeakyRelu", "Softplus", "Hardtanh", "Mish")


STEEP = ("Exp", "Pow", "Square")
"""Functions that grow faster than their argument: usual in a loss, not between layers."""
_LAYERS = ("Addmm", "Mm", "Bmm", "Mv", "Convolution")
_REDUCTIONS = ("Mean", "Sum", "Rsqrt", "Sqrt")


def activations(root: Tensor, limit: int = 4000) -> dict[str, int]:
    """Count the activation functions of the graph, those called as plain functions too.

    Powers and exponentials count where a layer comes after them, unless they are summed up at once, as in a
    norm.
    """
    counts: dict[str, int] = {}
    seen: set[Any] = set()
    queue: list[tuple[Any, bool, str]] = [(root.grad_fn, False, "")]
    while queue and len(seen) < limit:
        node, inside, consumer = queue.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        name = _operation(node)
        steep = name in STEEP and inside and consumer not in _REDUCTIONS
        if name in ACTIVATIONS or steep:
            counts[name] = counts.get(name, 0) + 1
        inside = inside or name in _LAYERS
        queue.extend((parent, inside, name) for parent, _ in node.next_functions)
    return counts


def _operation(node: Any) -> str:
    name: str = node.name().removesuffix("Backward0").removesuffix("Backward")
    if name == "Mul" and len(node.next_functions) == 2 and node.next_functions[0] == node.next_functions[1]:
        return "Square"
    if name == "Pow" and abs(float(node._saved_exponent)) <= 1:
        return "Root"
    return name
