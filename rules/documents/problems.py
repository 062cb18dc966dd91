"""What is wrong with a document, in words that let its author put it right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import msgspec


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong, with its place."""

    file: str
    line: int | None
    """From 1; None where the whole file is meant."""
    where: str
    """Path of the field, for example ``when[1].fact``; empty for the whole document."""
    problem: str
    valid: str = ""
    """What would be right."""
    severity: str = "error"
    """``error`` keeps the document out of the rule base, ``warning`` does not."""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        parts = [place, *([self.where] if self.where else []), self.problem]
        return ": ".join(parts) + (f"; {self.valid}" if self.valid else "")


class DocumentError(Exception):
    """A document, or a set of them, that cannot be used.

    Attributes:
        problems: everything that is wrong, in the order of the file.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__(" | ".join(map(str, self.problems)))


def suggest(word: str, choices: Iterable[str], most: int = 3) -> str:
    """Return ``did you mean ...?`` with the nearest choices, or a list of the valid ones.

    A long list is cut, with the number of entries left out.
    """
    known = sorted(choices)
    if close := get_close_matches(str(word), known, n=most, cutoff=0.6):
        return f"did you mean {' or '.join(close)}?"
    if not known:
        return "there are none yet"
    shown = ", ".join(known[:12])
    return f"valid: {shown}" + (f" and {len(known) - 12} more" if len(known) > 12 else "")
