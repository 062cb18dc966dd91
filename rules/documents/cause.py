"""Cause and fix documents: what can be wrong, and what to do about it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints, model_validator
from typing_extensions import Self

from .fields import FIX_ID, Both, Document, Line, Prose
from .placeholders import check_python, placeholders
from .rule import CauseId, FactName

FixId: TypeAlias = Annotated[str, StringConstraints(pattern=FIX_ID, max_length=80)]
Family: TypeAlias = Literal["data", "model", "strategy", "numerics", "environment"]


class CauseDocument(Document):
    """One thing that makes a loss jump."""

    id: CauseId
    family: Family
    title: Both
    summary: Both
    why: Both | None = None
    """How it makes the loss jump."""
    example: Both | None = None
    fixes: list[FixId] = Field(default_factory=list)
    needs: list[FactName] = Field(default_factory=list)
    """Facts that would decide for or against it."""
    benign: bool = False
    """A plan, not a fault."""
    references: list[Line] = Field(default_factory=list)

    @model_validator(mode="after")
    def _family_of_id(self) -> Self:
        family = self.id.partition(".")[0]
        if self.family != family:
            raise ValueError(f"family is {self.family}, but the id says {family}")
        return self


class FixDocument(Document):
    """One thing to do, with placeholders for the run's own numbers."""

    id: FixId
    when: Literal["now", "for-good"]
    title: Both | None = None
    text: Both
    fallback: Both | None = None
    """Shown where a placeholder without default is unknown; needed when there is one."""
    code: Prose | None = None
    """Left out of a diagnosis where a placeholder without default is unknown."""
    language: Literal["python", "shell", "text"] = "python"
    references: list[Line] = Field(default_factory=list)

    @model_validator(mode="after")
    def _placeholders(self) -> Self:
        for text in self.texts():
            placeholders(text)
        if self.fallback is None and self.open_placeholders():
            names = ", ".join(sorted(self.open_placeholders()))
            raise ValueError(f"fallback is needed: {names} may be unknown and has no default")
        if self.fallback is not None and any(
            p.default is None for text in (self.fallback.en, self.fallback.zh) for p in placeholders(text)
        ):
            raise ValueError("a placeholder in fallback needs a default")
        if self.code is not None and self.language == "python" and (why := check_python(self.code, {})):
            raise ValueError(f"code is not valid Python: {why}")
        return self

    def texts(self) -> list[str]:
        """Return every text that may hold placeholders."""
        prose = [text for both in (self.text, self.fallback) if both for text in (both.en, both.zh)]
        return [*prose, *([self.code] if self.code else [])]

    def open_placeholders(self) -> set[str]:
        """Return the facts that the text cannot do without."""
        return {
            p.name for text in (self.text.en, self.text.zh) for p in placeholders(text) if p.default is None
        }
