"""A rule that is being written: what is wrong with its text, and the rule base as if it were saved."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from .documents import Problem, RuleDocument
from .documents.fields import RULE_ID, matches
from .rulebase import RuleBase, Source, default_sources
from .rulebase.loading import FileCache

_ID = re.compile(r"^id:[ \t]*[\"']?([\w.-]+)", re.MULTILINE)


@dataclass(frozen=True)
class Examined:
    """What became of a text.

    Attributes:
        name: file name that it would have.
        rule: the document, None while it is not sound.
        problems: with the lines of the text, errors and warnings.
        base: all rules with this one in force, or without it while it is not sound.
    """

    name: str
    rule: RuleDocument | None
    problems: list[Problem]
    base: RuleBase


def examine(text: str, cache: FileCache | None = None, extra: Sequence[Path] = ()) -> Examined:
    """Return what the checks say of the text of a rule, also of its place among all others.

    Args:
        text: as it stands in the editor.
        cache: of earlier calls, so that other files are read once.
        extra: directories of rules besides the usual ones.
    """
    found = _ID.search(text)
    stem = found[1] if found and matches(RULE_ID, found[1]) else "rule"
    name = f"{stem}.yaml"
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        base = RuleBase.load(sources=[*default_sources(extra), Source(Path(folder))], cache=cache)
    problems = [msgspec.structs.replace(p, file=name) for p in base.problems if p.file == str(path)]
    broken = any(problem.severity == "error" for problem in problems)
    return Examined(name, None if broken else base.rules.get(stem), problems, base)
