"""First file of the agent that a process runs when it is attached to; executed by its path.

Answers a request left by the attaching command, and nothing else: it must not raise, print or wait.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from typing import Any

_PAUSE = 0.002


def serve(asked: str) -> None:
    """Do what the request file says and write the answer beside it.

    A request that is gone was given up: the process came round to it too late.
    """
    try:
        with open(asked, encoding="utf-8") as stream:
            request: dict[str, Any] = json.load(stream)
    except (OSError, ValueError):
        return
    if request.get("action") == "attach":
        # Imports take a tenth of a second where nothing is compiled yet: too long for the thread that trains.
        import threading

        threading.Thread(target=_carry_out, args=(request,), name="spikelore-attach", daemon=True).start()
    else:
        _carry_out(request)


def _carry_out(request: dict[str, Any]) -> None:
    path = str(request["answer"])
    try:
        _handle(request, lambda answer: _reply(path, answer))
        return
    except ImportError as error:
        # The attaching side lends its libraries, but compiled ones fit one version of Python only.
        answer = {
            "error": f"its Python lacks a library that probes need ({error})",
            "remedy": f"{sys.executable} -m pip install msgspec psutil",
        }
    except Exception as error:  # noqa: BLE001 - the process that trains must not notice
        answer = {"error": f"the agent failed to start ({type(error).__name__}: {error})"}
    _reply(path, answer)


def _handle(request: dict[str, Any], reply: Callable[[dict[str, Any]], None]) -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    here = os.path.dirname(os.path.abspath(__file__))
    spec = spec_from_file_location("_spikelore_boot", os.path.join(here, "boot.py"))
    if spec is None or spec.loader is None:
        raise OSError(f"{here} cannot be read by the process")
    boot = module_from_spec(spec)
    spec.loader.exec_module(boot)
    boot.make_importable(request.get("libraries", []))
    if request.get("action") == "attach":
        _load_gently(os.path.dirname(here))
    from spikelore.probes.agent.control import handle

    handle(request, reply)


def _load_gently(probes: str) -> None:
    """Import the agent module by module with a pause after each.

    An import keeps the interpreter's lock for milliseconds; the pause lets the training thread have it.
    """
    from importlib import import_module
    from time import sleep

    if "torch" not in sys.modules:
        return
    names = ["evidence.schema", "evidence.rundir", "thinning", "recorder", "budget"]
    for package in ("sensors", "agent"):
        files = sorted(os.listdir(os.path.join(probes, package)))
        names += [f"{package}.{name[:-3]}" for name in files if name.endswith(".py") and name[0] != "_"]
    # What is allocated here would set off a search of the whole heap for garbage, a tenth of a second long.
    collecting = gc.isenabled()
    gc.disable()
    try:
        for name in ("msgspec", "psutil", *(f"spikelore.probes.{name}" for name in names)):
            import_module(name)
            sleep(_PAUSE)
    finally:
        if collecting:
            # The youngest objects only, which are ours: the count that leads to a full search starts anew.
            gc.collect(0)
            gc.enable()


def _reply(path: str, answer: dict[str, Any]) -> None:
    try:
        with open(path + ".part", "w", encoding="utf-8") as stream:
            json.dump(answer, stream)
        os.replace(path + ".part", path)
    except OSError:
        return
