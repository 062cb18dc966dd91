"""The screens, one module and one style sheet each; a module is imported when its screen is first shown."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from textual.screen import Screen


def _lazily(module: str, name: str) -> Callable[..., Screen[Any]]:
    """Return a factory that imports the screen's module on first use."""

    def create(*subjects: Any) -> Screen[Any]:
        screen: Screen[Any] = getattr(importlib.import_module(f"{__name__}.{module}"), name)(*subjects)
        return screen

    return create


SCREENS: dict[str, Callable[..., Screen[Any]]] = {
    "runs": _lazily("runs", "RunsScreen"),
    "live": _lazily("live", "LiveScreen"),
    "triage": _lazily("triage", "TriageScreen"),
    "resolve": _lazily("resolve", "ResolveScreen"),
    "cases": _lazily("cases", "CasesScreen"),
    "rules": _lazily("rules", "RulesScreen"),
    "attach": _lazily("attach", "AttachScreen"),
    "compare": _lazily("compare", "CompareScreen"),
    "settings": _lazily("settings", "SettingsScreen"),
    "help": _lazily("help", "HelpScreen"),
}
