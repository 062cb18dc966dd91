"""What of spikelore works on this machine; each check says what it found and what would help.

Nothing heavy is imported: a package is found by its spec and its version read from its metadata, as
importing torch alone takes seconds.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from ..probes.evidence.home import home
from .errors import sentence
from .home import database_url


class Check(msgspec.Struct):
    """One thing that spikelore uses."""

    name: str
    state: Literal["ok", "limited", "missing"]
    found: str
    remedy: str = ""


def run_checks() -> list[Check]:
    """Return every check; one that fails to run is reported as missing."""
    return [_safely(check) for check in CHECKS]


def _safely(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a broken machine is exactly what this is for
        return Check(check.__name__.strip("_"), "missing", sentence(error))


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", "ok", f"{version} at {sys.executable}")


def _torch() -> Check:
    version = _version("torch")
    if version is None or find_spec("torch") is None:
        return Check(
            "torch",
            "limited",
            "not in this environment",
            "Jobs in other environments are recorded all the same",
        )
    return Check("torch", "ok", version)


def _nvml() -> Check:
    try:
        import pynvml

        pynvml.nvmlInit()
    except ImportError:
        return Check("NVML", "missing", "nvidia-ml-py is not installed", "pip install nvidia-ml-py")
    except Exception as error:  # noqa: BLE001 - pynvml's errors share no base with a name of its own
        return Check("NVML", "limited", f"{error}", "GPU temperature, clocks and ECC errors are not recorded")
    count = pynvml.nvmlDeviceGetCount()
    driver = pynvml.nvmlSystemGetDriverVersion()
    pynvml.nvmlShutdown()
    return Check("NVML", "ok", f"{count} GPU(s), driver {driver}")


def _ptrace() -> Check:
    if not sys.platform.startswith("linux"):
        return Check("ptrace", "missing", f"not on {sys.platform}", "Use spikelore run instead of attach")
    path = Path("/proc/sys/kernel/yama/ptrace_scope")
    try:
        scope = int(path.read_text())
    except FileNotFoundError:
        return Check("ptrace", "ok", "no Yama restriction")
    if scope == 0 or (scope < 3 and os.geteuid() == 0):
        return Check("ptrace", "ok", f"scope {scope}")
    remedy = "sudo sysctl kernel.yama.ptrace_scope=0, or start jobs with spikelore run"
    return Check(
        "ptrace", "limited" if scope == 1 else "missing", f"scope {scope}: attaching is refused", remedy
    )


def _compiler() -> Check:
    found = shutil.which("gcc") or shutil.which("cc")
    if found:
        return Check("C compiler", "ok", found)
    return Check("C compiler", "limited", "none found", "Only installing packages without a wheel needs one")


def _rules_engine() -> Check:
    version = _version("durable_rules")
    if version and find_spec("durable"):
        return Check("durable_rules", "ok", version)
    return Check("durable_rules", "missing", "not installed", "pip install durable-rules (Python below 3.13)")


def _database() -> Check:
    from .library import masked, opened

    with opened():
        return Check("Case library", "ok", masked(database_url()))


def _folder() -> Check:
    place = home()
    existing = next(path for path in (place, *place.parents) if path.exists())
    if os.access(existing, os.W_OK):
        return Check("Home folder", "ok", str(place))
    return Check(
        "Home folder", "missing", f"{place} cannot be written", "Set SPIKELORE_HOME to another folder"
    )


def _terminal() -> Check:
    if not sys.stdout.isatty():
        return Check("Terminal", "limited", "output is not a terminal", "triage needs one; diagnose does not")
    size = shutil.get_terminal_size()
    colours = os.environ.get("COLORTERM") or os.environ.get("TERM", "")
    state: Literal["ok", "limited"] = "ok" if size.columns >= 60 and size.lines >= 20 else "limited"
    remedy = "" if state == "ok" else "60 columns and 20 lines are needed"
    return Check("Terminal", state, f"{size.columns} x {size.lines}, {colours}", remedy)


CHECKS = (_python, _torch, _nvml, _ptrace, _compiler, _rules_engine, _database, _folder, _terminal)
