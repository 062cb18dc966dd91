"""Types of columns: how a value is kept, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Dialect, Float, String, Text
from sqlalchemy.types import TypeDecorator

from .values import spell


class _AsGiven(Float[Any]):
    """A float column whose values reach the driver untouched."""

    def bind_processor(self, dialect: Dialect) -> None:
        """SQLAlchemy would turn the names of non-finite values into numbers."""


class LossType(TypeDecorator[Any]):
    """A loss; SQLite turns NaN into NULL, so what is no finite number is kept there as its name."""

    impl = Float
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Return the type that values are bound as."""
        return dialect.type_descriptor(_AsGiven() if dialect.name == "sqlite" else Float())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Return the value for the driver."""
        if value is None or dialect.name == "sqlite":
            return spell(value)
        return float(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the value as the library spells it."""
        return spell(value)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Not the tab and the end of a line."""


class CleanString(TypeDecorator[Any]):
    """Text without control characters: PostgreSQL refuses NUL, and a terminal obeys escape sequences."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the value for the driver."""
        # Most texts are one printable line, which is told much faster than by an expression.
        return value if value is None or value.isprintable() else _CONTROL.sub("", value)


class CleanText(CleanString):
    """The same of any length."""

    impl = Text
    cache_ok = True
