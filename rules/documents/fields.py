"""The parts that rule, cause and fix documents are made of."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, StringConstraints
from pydantic.json_schema import WithJsonSchema

from ..diagnosis import FactValue

FAMILIES = ("data", "model", "strategy", "numerics", "environment")
Operator: TypeAlias = Literal["gt", "ge", "lt", "le", "eq", "ne", "in"]
OPERATORS: tuple[Operator, ...] = ("gt", "ge", "lt", "le", "eq", "ne", "in")

_SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
RULE_ID = rf"^{_SLUG}$"
CAUSE_ID = rf"^({'|'.join(FAMILIES)})\.{_SLUG}$"
SYMPTOM_ID = rf"^symptom\.{_SLUG}$"
PATTERN_ID = rf"^pattern\.{_SLUG}$"
FIX_ID = rf"^fix\.{_SLUG}$"


def matches(pattern: str, text: str) -> bool:
    """Tell whether an id is of a kind; the kinds are the patterns above."""
    return re.match(pattern, text) is not None


class Document(BaseModel):
    """A mapping with no other keys than its own, and values of exactly their type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Line: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Prose: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True)]


class Text(Document):
    """A text in English and Chinese; without Chinese the English is shown."""

    en: Prose
    zh: Annotated[str, StringConstraints(max_length=4_000, strip_whitespace=True)] = ""

    def pick(self, lang: str) -> str:
        """Return the text in a language, ``en`` or ``zh``."""
        return self.zh or self.en if lang == "zh" else self.en


def _text(value: Any) -> Any:
    return {"en": value} if isinstance(value, str) else value


Both: TypeAlias = Annotated[
    Text,
    BeforeValidator(_text),
    WithJsonSchema({"anyOf": [{"type": "string"}, Text.model_json_schema()]}),
]
"""A text in both languages, or a plain string that counts as English."""


def _scalar(value: Any) -> FactValue:
    if isinstance(value, bool | int | float | str):
        if isinstance(value, str) and len(value) > 300:
            raise ValueError("a text longer than 300 characters")
        return value
    raise ValueError("must be a number, true or false, or a text")


Scalar: TypeAlias = Annotated[
    FactValue, PlainValidator(_scalar), WithJsonSchema({"type": ["number", "boolean", "string"]})
]


def _number(value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    return value


Number: TypeAlias = Annotated[float | int, PlainValidator(_number), WithJsonSchema({"type": "number"})]
Share: TypeAlias = Annotated[float, BeforeValidator(_number), Field(ge=0.0, le=1.0, strict=False)]
"""A number from 0 to 1."""
