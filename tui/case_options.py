"""Options that the verbs on the case library share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import typer

from ..casebase.values import OUTCOMES, Filters, FixTried, Loss
from .errors import UserError

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Incident = Annotated[str, typer.Argument(help="Id of the incident, or the start of it.")]
Tried = Annotated[
    list[str] | None,
    typer.Option(
        "--fix", help="What was tried: ID=worked, ID=failed or ID=unknown; words instead of an ID too."
    ),
]
By = Annotated[str, typer.Option(help="Who says so; your name if not given.", show_default=False)]

_FAMILY = Literal["data", "model", "strategy", "numerics", "environment"]
_FILTERS: dict[str, tuple[Any, str]] = {
    "cause": (str, "Only incidents of this cause."),
    "family": (_FAMILY, "Only causes of this family."),
    "state": (Literal["open", "resolved"], "Only open or resolved ones."),
    "project": (str, "Only incidents of this project."),
    "framework": (str, "Only incidents of this framework."),
    "model_type": (str, "Only incidents of this kind of model."),
    "tag": (str, "Only incidents with this tag."),
    "fix": (str, "Only incidents on which this fix was tried."),
    "outcome": (Literal["worked", "failed", "unknown"], "Only incidents with a fix of this outcome."),
    "since": (datetime, "Only those opened on this day or later."),
    "until": (datetime, "Only those opened before this day."),
}
"""What incidents are filtered by: type and help of each option."""


def with_filters(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options that filter incidents; it takes all of them as its argument ``filters``."""
    signature = inspect.signature(verb, eval_str=True)
    options = [_option(name, kind, text) for name, (kind, text) in _FILTERS.items()]
    own = {name: parameter for name, parameter in signature.parameters.items() if name != "filters"}

    def run(**given: Any) -> None:
        asked = {name: _value(given.pop(name)) for name in _FILTERS}
        verb(filters=Filters(**{name: value for name, value in asked.items() if value}), **given)

    run.__name__, run.__doc__ = verb.__name__, verb.__doc__
    # Typer reads an argument's place from the signature, and options may stand anywhere.
    run.__signature__ = inspect.Signature([*own.values(), *options])  # type: ignore[attr-defined]
    run.__annotations__ = {}
    return run


def _option(name: str, kind: Any, text: str) -> inspect.Parameter:
    more = {"formats": ["%Y-%m-%d"]} if kind is datetime else {}
    annotation = Annotated[kind | None, typer.Option(help=text, show_default=False, **more)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _value(given: Any) -> Any:
    """Return what `Filters` takes: the beginning of a day here as Unix seconds, the rest as it is."""
    return given.timestamp() if isinstance(given, datetime) else given


def author(by: str) -> str:
    """Return the name given, else the user's own."""
    from . import settings

    return by or settings.author(settings.load())


def attempts(given: list[str] | None, after: Loss = None) -> list[FixTried]:
    """Return attempts from ``ID=outcome`` texts.

    Args:
        given: the texts.
        after: training loss once the fix was in; of those that worked.

    Raises:
        UserError: an outcome is missing.
    """
    found = []
    for text in given or []:
        name, _, outcome = text.rpartition("=")
        if outcome not in OUTCOMES or not name:
            raise UserError(f"--fix {text!r}: says no outcome; valid: ID=worked, ID=failed or ID=unknown")
        is_id = name.startswith("fix.") and " " not in name
        fix = FixTried(name if is_id else "", outcome, text="" if is_id else name)
        fix.after = after if outcome == "worked" else None
        found.append(fix)
    return found
