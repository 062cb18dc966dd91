"""Found first on PYTHONPATH in a job under probes: runs the sitecustomize it shadows, then boots."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec, spec_from_file_location


def _run_shadowed() -> None:
    """Execute the sitecustomize that Python would have found without this folder.

    It takes the name over before it runs, as it may import itself or set attributes on its module.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    others = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _boot_spec() -> ModuleSpec | None:
    """Locate the boot module beside this folder: the job's environment may not have the package."""
    probes = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return spec_from_file_location("_spikelore_boot", os.path.join(probes, "agent", "boot.py"))


def _boot() -> None:
    asked = os.environ.get("SPIKELORE_RUN") or os.environ.get("SPIKELORE_LISTEN")
    if not asked or "_spikelore_boot" in sys.modules:
        return
    spec = _boot_spec()
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["_spikelore_boot"] = module
        spec.loader.exec_module(module)
        module.start()


try:
    _boot()
finally:
    _run_shadowed()
