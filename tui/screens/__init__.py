"""The screens, one module and one style sheet each; a module is imported when its screen is first shown."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from textual.screen import Screen

_CLASSES = {
    "runs": "RunsScreen",
    "live": "LiveScreen",
    "triage": "TriageScreen",
    "similar": "SimilarScreen",
    "resolve": "ResolveScreen",
    "cases": "CasesScreen",
    "rules": "RulesScreen",
    "workbench": "WorkbenchScreen",
    "attach": "AttachScreen",
    "compare": "CompareScreen",
    "settings": "SettingsScreen",
    "help": "HelpScreen",
}
"""Module -> class of its screen."""


def _class(module: str) -> type[Screen[Any]]:
    found: type[Screen[Any]] = getattr(importlib.import_module(f"{__name__}.{module}"), _CLASSES[module])
    return found


def _lazily(module: str) -> Callable[..., Screen[Any]]:
    """Return a factory that imports the screen's module on first use."""

    def create(*subjects: Any) -> Screen[Any]:
        return _class(module)(*subjects)

    return create


SCREENS: dict[str, Callable[..., Screen[Any]]] = {module: _lazily(module) for module in _CLASSES}


def screen_classes() -> list[type[Screen[Any]]]:
    """Import every screen and return the classes."""
    return [_class(module) for module in _CLASSES]
