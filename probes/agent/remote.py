"""First file of the agent that a process runs when it is attached to; executed by its path.

Answers a request left by the attaching command, and nothing else: it must not raise, print or wait.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def serve(asked: str) -> None:
    """Do what the request file says and write the answer beside it.

    A request that is gone was given up: the process came round to it too late.
    """
    try:
        with open(asked, encoding="utf-8") as stream:
            request: dict[str, Any] = json.load(stream)
    except (OSError, ValueError):
        return
    try:
        answer = _handle(request)
    except ImportError as error:
        # The attaching side lends its libraries, but compiled ones fit one version of Python only.
        answer = {
            "error": f"its Python lacks a library that probes need ({error})",
            "remedy": f"{sys.executable} -m pip install msgspec psutil",
        }
    except Exception as error:  # noqa: BLE001 - the process that trains must not notice
        answer = {"error": f"the agent failed to start ({type(error).__name__}: {error})"}
    _reply(str(request["answer"]), answer)


def _handle(request: dict[str, Any]) -> dict[str, Any]:
    from importlib.util import module_from_spec, spec_from_file_location

    here = os.path.dirname(os.path.abspath(__file__))
    spec = spec_from_file_location("_spikelore_boot", os.path.join(here, "boot.py"))
    if spec is None or spec.loader is None:
        return {"error": f"{here} cannot be read by the process"}
    boot = module_from_spec(spec)
    spec.loader.exec_module(boot)
    boot.make_importable(request.get("libraries", []))
    from spikelore.probes.agent.control import handle

    return handle(request)


def _reply(path: str, answer: dict[str, Any]) -> None:
    try:
        with open(path + ".part", "w", encoding="utf-8") as stream:
            json.dump(answer, stream)
        os.replace(path + ".part", path)
    except OSError:
        return
