"""One walk over the autograd graph of a backward, shared by all that looks at more than its losses."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from .step import OpenStep

_WALKED = 2000
"""Nodes that are looked at, from the loss down."""


def graph_nodes(step: OpenStep, roots: Sequence[Tensor]) -> list[Any]:
    """Return the nodes of a graph, from the loss down; one walk serves all sensors of a step."""
    first = roots[0].grad_fn if roots else None
    if step.graph is not None and step.graph[0] is first:
        return step.graph[1]
    queue = deque(node for root in roots if (node := root.grad_fn) is not None)
    seen: set[Any] = set(queue)
    nodes: list[Any] = []
    while queue and len(nodes) < _WALKED:
        node = queue.popleft()
        nodes.append(node)
        for parent, _ in node.next_functions:
            if parent is not None and parent not in seen:
                seen.add(parent)
                queue.append(parent)
    step.graph = (first, nodes)
    return nodes
