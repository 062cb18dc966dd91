"""Which module each parameter belongs to, and what an optimizer's model is."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module
    from torch.optim import Optimizer

MAX_GROUPS = 32
_WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module")
_DESCEND_SHARE = 0.95
OTHER = "other"
_PRINTED = 200
"""Parameters that a fingerprint is made of."""


class ModelMap:
    """The outermost modules seen, and the top-level module of every parameter.

    With a model that wraps all of its weights in one child (``transformer`` in many language models),
    that child's children count as top level.
    """

    def __init__(self) -> None:
        self._roots: dict[int, weakref.ref[Module]] = {}
        self._groups: dict[int, str] = {}
        self._bare: dict[int, weakref.ref[Module]] = {}
        self.version = 0
        """Raised whenever a new root is seen."""

    @property
    def roots(self) -> list[Module]:
        """Outermost modules that are alive, in the order seen."""
        return [module for module in (ref() for ref in self._roots.values()) if module is not None]

    def saw(self, module: Module) -> bool:
        """Take in an outermost module; False for one without parameters, such as a loss."""
        if self.knows(module):
            return True
        bare = self._bare.get(id(module))
        if bare is not None and bare() is module:
            return False
        if next(module.parameters(), None) is None:
            self._bare[id(module)] = weakref.ref(module)
            return False
        self._roots[id(module)] = weakref.ref(module)
        self.version += 1
        for name, parameter in _grouped(module):
            self._groups.setdefault(id(parameter), name)
        return True

    def knows(self, module: Module) -> bool:
        """Whether a module is one of the outermost seen."""
        known = self._roots.get(id(module))
        return known is not None and known() is module

    def group(self, parameter: Tensor) -> str:
        """Return the name of a parameter's top-level module."""
        return self._groups.get(id(parameter), OTHER)

    def model_of(self, optimizer: Optimizer) -> Module | None:
        """Return the root that holds most of what ``optimizer`` updates."""
        owned = {id(p) for group in optimizer.param_groups for p in group["params"]}
        best, most = None, 0
        for root in self.roots:
            count = sum(id(p) in owned for p in root.parameters())
            if count > most:
                best, most = root, count
        return best


def unwrap(module: Module) -> Module:
    """Return the model inside DDP, FSDP and compile wrappers."""
    while True:
        children = dict(module.named_children())
        inner = next((children[name] for name in _WRAPPERS if name in children), None)
        if inner is None or len(children) != 1:
            return module
        module = inner


def top_level(module: Module) -> tuple[str, Module]:
    """Return the module whose children count as top level, and its name prefix."""
    module, prefix = unwrap(module), ""
    total = sum(p.numel() for p in module.parameters())
    while total:
        children = list(module.named_children())
        heavy = [
            (name, child)
            for name, child in children
            if sum(p.numel() for p in child.parameters()) >= _DESCEND_SHARE * total
        ]
        if len(heavy) != 1 or len(list(heavy[0][1].children())) < 2:
            break
        prefix, module = f"{prefix}{heavy[0][0]}.", heavy[0][1]
    return prefix, module


def _grouped(module: Module) -> Iterable[tuple[str, Tensor]]:
    prefix, body = top_level(module)
    names: dict[str, None] = {}
    inner = unwrap(module)
    inside = {id(p) for p in body.parameters()}
    for name, parameter in inner.named_parameters():
        rest = name.removeprefix(prefix) if id(parameter) in inside else name
        first = rest.split(".", 1)[0]
        if first not in names and len(names) >= MAX_GROUPS:
            first = OTHER
        names[first] = None
        yield first, parameter


def parameters_of(optimizer: Optimizer) -> list[Tensor]:
    """Return every parameter of an optimizer."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def fingerprint(parameters: Sequence[Tensor]) -> str:
    """Return a hash of three elements of each parameter; empty off the CPU, where reading would wait."""
    elements = []
    for parameter in parameters[:_PRINTED]:
        own = local(parameter.detach())
        if own.is_cpu and own.numel() and own.layout is torch.strided:
            flat, count = own.reshape(-1), own.numel()
            elements += [flat[place].item() for place in (count // 3, count // 2, count - 1)]
    return hashlib.sha256(repr(elements).encode()).hexdigest()[:16] if elements else ""


def local(tensor: Tensor) -> Tensor:
    """Return this rank's own part of a tensor: arithmetic on a sharded one would be a collective."""
    to_local: Any = getattr(tensor, "to_local", None)
    found: Tensor = to_local() if to_local is not None else tensor
    return found


def local_gradients(parameters: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """Return (parameter, this rank's dense gradient) for every parameter that has one."""
    found = []
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is None:
            continue
        gradient = local(gradient.detach())
        if gradient.is_sparse:
            gradient = gradient.coalesce().values()
        found.append((parameter, gradient))
    return found
