"""The cases that come with the product: those of the article on loss spikes, and public incidents.

One YAML file per family holds a list of cases. All are restated from the public account that
``reference`` names; a fact is given only where the account states or implies it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timezone
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

from ..values import Case, FixTried

if TYPE_CHECKING:
    from ..library import CaseLibrary

VERSION = "1"
"""Raised with every change of the files, so that libraries take the change over."""
_SETTING = "starter"


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    """One case as the files write it."""

    id: str
    title: str
    title_zh: str
    summary: str
    summary_zh: str
    cause: str
    published: date
    reference: str = ""
    """Address of the public account; the article's cases have none of their own."""
    fixes: list[FixTried] = []
    facts: dict[str, float | int | bool | str] = {}
    framework: str = ""
    model_type: str = ""
    step: int | None = None
    epoch: float | None = None
    train: tuple[float | str | None, float | str | None] = (None, None)
    val: tuple[float | str | None, float | str | None] = (None, None)
    nonfinite: bool = False
    recovered: bool = False
    verdict: str = "spike"
    pattern: str | None = None
    tags: list[str] = []


def cases() -> Iterator[Case]:
    """Yield every starter case.

    Raises:
        msgspec.ValidationError: a file is not as documented.
    """
    import yaml

    for path in sorted(files(__package__).iterdir(), key=lambda path: path.name):
        if path.name.endswith(".yaml"):
            raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
            for entry in msgspec.convert(raw, list[_Entry]):
                yield _case(entry)


def _case(entry: _Entry) -> Case:
    shared = {
        name: getattr(entry, name) for name in _Entry.__struct_fields__ if name in Case.__struct_fields__
    }
    published = datetime.combine(entry.published, datetime.min.time(), timezone.utc).timestamp()
    for fix in entry.fixes:
        fix.decided = "starter"
        fix.created = published
    return Case(
        **shared,
        state="resolved",
        confirmed=entry.cause,
        source="starter",
        train_before=entry.train[0],
        train_after=entry.train[1],
        val_before=entry.val[0],
        val_after=entry.val[1],
        created=published,
        updated=published,
        resolved=published,
    )


def ensure_loaded(library: CaseLibrary) -> bool:
    """Put the starter cases into a library that lacks them or has an older version; tell whether it did."""
    with library.database.reader() as reader:
        if reader.value("SELECT value FROM setting WHERE name = ?", [_SETTING]) == VERSION:
            return False
    from .loading import load

    load(library, list(cases()), _SETTING, VERSION)
    return True
