"""Start-up of the agent in a job: decides in microseconds, and waits for torch.

This file is also executed by its path, before the package can be imported, so it may import nothing
of the package at module level and only what an interpreter has loaded anyway.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

RUN_VARIABLE = "SPIKELORE_RUN"
LISTEN_VARIABLE = "SPIKELORE_LISTEN"
LIBRARIES_VARIABLE = "SPIKELORE_LIBS"
_LIBRARIES = ("msgspec", "psutil", "pynvml")

_started = False


def start() -> None:
    """Arm the post-import hook on torch; a second call does nothing."""
    global _started  # noqa: PLW0603 - one agent a process, however many of the entry points run
    asked = os.environ.get(RUN_VARIABLE) or os.environ.get(LISTEN_VARIABLE)
    if _started or not asked or getattr(sys, "_spikelore_booted", False):
        return
    _started = True
    sys._spikelore_booted = True  # type: ignore[attr-defined]  # shared by both copies of this module
    if "torch" in sys.modules:
        install()
    else:
        sys.meta_path.insert(0, PostImport("torch", install))


def install() -> None:
    """Put the hooks in place; whatever goes wrong is noted in the run and never reaches the job."""
    try:
        make_importable([p for p in os.environ.get(LIBRARIES_VARIABLE, "").split(os.pathsep) if p])
        if os.environ.get(RUN_VARIABLE):
            from spikelore.probes.agent.session import begin

            begin()
        else:
            from spikelore.probes.agent.listener import start as listen

            listen()
    except Exception as error:  # noqa: BLE001 - the job must start whatever happens here
        note_failure(f"{type(error).__name__}: {error}")


def note_failure(text: str) -> None:
    """Leave one line in the run directory for the launcher to report."""
    try:
        path = os.path.join(os.environ[RUN_VARIABLE], "boot.log")
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(f"process {os.getpid()} ({sys.executable}): {text}\n")
    except (OSError, KeyError):
        return


def make_importable(folders: list[str]) -> None:
    """Let ``spikelore`` and its three in-job libraries be found when the job's own environment lacks them.

    Args:
        folders: where the libraries are to be found as a last resort.
    """
    if "spikelore" not in sys.modules:
        _load_root(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    if folders and not any(type(finder).__name__ == "NamedLibraries" for finder in sys.meta_path):
        sys.meta_path.append(NamedLibraries(_LIBRARIES, folders))


def forget() -> None:
    """Leave no finder behind, and let a later start begin anew."""
    global _started  # noqa: PLW0603 - the counterpart of start
    _started = False
    sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ not in ("NamedLibraries", "PostImport")]
    vars(sys).pop("_spikelore_booted", None)


def _load_root(root: str) -> None:
    """Import the root package from its folder, whatever that folder is called."""
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(
        "spikelore", os.path.join(root, "__init__.py"), submodule_search_locations=[root]
    )
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["spikelore"] = module
        spec.loader.exec_module(module)


class NamedLibraries:
    """A last-resort finder for a few named libraries only: nothing else of those folders leaks in."""

    def __init__(self, names: Sequence[str], paths: list[str]) -> None:
        self._names = names
        self._paths = paths

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002 - the protocol's signature
        """Answer for the named top-level libraries."""
        return PathFinder.find_spec(name, self._paths) if name in self._names else None


class PostImport:
    """A finder that runs a callback once a module has been imported, then leaves ``sys.meta_path``."""

    def __init__(self, name: str, callback: Callable[[], None]) -> None:
        self._name = name
        self._callback = callback

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the real spec with its loader wrapped, for the awaited module alone."""
        if name != self._name:
            return None
        for finder in list(sys.meta_path):
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find else None
            if spec is not None:
                if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                    wrapped: Any = _CallbackLoader(spec.loader, self)
                    spec.loader = wrapped
                return spec
        return None

    def imported(self) -> None:
        """Step aside and run the callback."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._callback()


class _CallbackLoader:
    """Delegates to the real loader, hands the module back to it, then reports."""

    def __init__(self, loader: Any, finder: PostImport) -> None:
        self._loader = loader
        self._finder = finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the real loader does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run the module as the real loader does, then the callback."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._finder.imported()
