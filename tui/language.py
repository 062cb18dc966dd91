"""The two languages of everything shown: English is the key, Chinese comes from a catalogue.

A text that the catalogue lacks is shown in English, so a new one never breaks anything.
"""

from __future__ import annotations

import os
from typing import Literal, TypeAlias

Lang: TypeAlias = Literal["en", "zh"]


def choose(asked: str | None = None) -> Lang:
    """Return the language asked for, else ``$SPIKELORE_LANG``, else the locale's.

    Raises:
        UserError: a language was asked for that there is no text in.
    """
    asked = asked or os.environ.get("SPIKELORE_LANG") or ""
    if asked in ("en", "zh"):
        return "zh" if asked == "zh" else "en"
    if asked:
        from .errors import UserError

        raise UserError(f"language {asked!r}: there is no text in it; valid: en, zh")
    locale = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    return "zh" if locale.lower().startswith("zh") else "en"


class _Current:
    lang: Lang = "en"


def use(lang: Lang) -> None:
    """Set the language of this process."""
    _Current.lang = lang


def current() -> Lang:
    """Return the language of this process."""
    return _Current.lang


def tr(text: str, **values: object) -> str:
    """Return a text in the language of this process, ``{name}`` filled in from ``values``."""
    if _Current.lang == "zh":
        from .chinese import CATALOGUE

        text = CATALOGUE.get(text, text)
    return text.format(**values) if values else text
