"""What a process runs with: versions of libraries, the job's own code, the host."""

from __future__ import annotations

import hashlib
import platform
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

_LIBRARIES = (
    *("torch", "numpy", "transformers", "lightning", "pytorch_lightning", "accelerate", "datasets"),
    *("torchvision", "deepspeed", "peft", "timm", "safetensors"),
)
_OWN = __name__.partition(".")[0]
_MOST_MODULES = 300
_MOST_BYTES = 1 << 20
"""Of one source file; a longer one is generated, and its size tells enough."""


def environment() -> dict[str, Any]:
    """Return versions and the host: what may differ between two runs of the same code."""
    import torch

    return {
        "python": platform.python_version(),
        "versions": versions(),
        "cuda": torch.version.cuda,
        "device": torch.cuda.get_device_name() if cuda_in_use() else "cpu",
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "host": platform.node(),
        "platform": platform.platform(),
    }


def versions() -> dict[str, str]:
    """Return the version of every library in use that trains or loads, by name."""
    found = {name: getattr(sys.modules.get(name), "__version__", None) for name in _LIBRARIES}
    return {name: str(version) for name, version in found.items() if version}


def own_code() -> dict[str, str]:
    """Return a short hash of the source of each module that is the job's own: of no installed package."""
    installed = tuple(Path(folder).resolve() for folder in {*sysconfig.get_paths().values(), sys.prefix})
    found = {}
    for name, module in list(sys.modules.items()):
        path = None if name.partition(".")[0] == _OWN else _source(module)
        if path is None or any(folder in path.parents for folder in installed):
            continue
        found[name] = _hash(path)
        if len(found) >= _MOST_MODULES:
            break
    return dict(sorted(found.items()))


def _source(module: ModuleType | None) -> Path | None:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py") or "site-packages" in file:
        return None
    path = Path(file).resolve()
    return path if path.is_file() else None


def _hash(path: Path) -> str:
    try:
        size = path.stat().st_size
        return hashlib.sha256(path.read_bytes()).hexdigest()[:12] if size <= _MOST_BYTES else str(size)
    except OSError:
        return ""


def cuda_in_use() -> bool:
    """Whether the job uses CUDA; asking anything more would start the driver in a job that does not."""
    import torch

    initialized: Callable[[], bool] = torch.cuda.is_initialized
    return initialized()
