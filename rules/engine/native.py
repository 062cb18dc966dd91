"""durable_rules, driven below its host and only in the part that was found exact.

Its ``Host`` starts threads that cannot be stopped, and its action machinery swallows exceptions, so
neither is used: a ruleset is created, facts are asserted, what fires is read off, and the session is
deleted. A session in which no action ever ran crashes when deleted, hence the boot rule.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Iterable
from itertools import count
from types import ModuleType
from typing import Any, Final

BOOT: Final = "$boot"
_SESSIONS = 1000
"""Session names are reused in turn: the engine keeps at most 1,024 alive."""

INSTALL_HINT = (
    "CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject pip install --no-binary :all: durable-rules==2.0.28"
)


class EngineUnavailableError(Exception):
    """durable_rules cannot be loaded in this Python."""

    exit_code = 2


class EngineFailedError(Exception):
    """durable_rules refused a ruleset or a fact, which the compiler should have made impossible."""


def load_library() -> ModuleType:
    """Return the native module.

    Raises:
        EngineUnavailableError: it is not installed, or built for another Python.
    """
    try:
        import durable_rules_engine
    except ImportError as error:
        import sys

        python = ".".join(map(str, sys.version_info[:2]))
        raise EngineUnavailableError(
            f"rules engine: durable_rules cannot be loaded in Python {python} ({error}); valid is Python "
            f"3.10 to 3.12, or a later one after: {INSTALL_HINT}"
        ) from error
    module: ModuleType = durable_rules_engine
    return module


class NativeRuleset:
    """One compiled ruleset. Not safe for threads by itself: the caller holds a lock.

    Args:
        definition: engine rules by name, as `compiler` makes them.
    """

    _names = count()

    def __init__(self, definition: dict[str, Any]) -> None:
        self._library = library = load_library()
        body = {BOOT: {"all": [{"m": {"f": BOOT}}]}, **definition}
        try:
            self._handle = library.create_ruleset(f"spikelore{next(self._names)}", json.dumps(body))
        except Exception as error:
            raise EngineFailedError(f"rules engine: ruleset refused: {error}") from error
        self._sessions = count()
        self.close = weakref.finalize(self, library.delete_ruleset, self._handle)
        # At exit the interpreter may have unloaded the library; the memory goes anyway.
        self.close.atexit = False

    def run(self, facts: Iterable[str]) -> list[str]:
        """Return the names of the rules that fire on facts, in order.

        Args:
            facts: bodies of JSON objects without braces, such as ``"f":"=lr","n":3``.
        """
        session = str(next(self._sessions) % _SESSIONS)
        handle = self._assert(f'{{"sid":"{session}","id":"0","f":"{BOOT}"}}')
        try:
            self._drain(handle)
            for index, body in enumerate(facts, 1):
                self._assert(f'{{"sid":"{session}","id":"{index}",{body}}}')
            return self._drain(handle)
        except Exception as error:
            raise EngineFailedError(f"rules engine: evaluation failed: {error}") from error
        finally:
            self._library.delete_state(self._handle, session)

    def _assert(self, fact: str) -> int:
        # A fact that matches nothing yet is answered by code 1, which is no error here.
        _, state = self._library.assert_fact(self._handle, fact)
        return int(state)

    def _drain(self, state: int) -> list[str]:
        """Let everything fire that can, and return the names."""
        names: list[str] = []
        started = self._library.start_action_for_state(self._handle, state)
        message = started[1] if started else None
        while message:
            names.append(message[2 : message.index('"', 2)])
            message = self._library.complete_and_start_action(self._handle, state)
        return names
