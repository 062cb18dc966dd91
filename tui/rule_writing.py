"""New rules: asked for or given, checked, and written into the team's directory."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from .errors import UserError
from .language import tr
from .library import opened
from .numbers import percent

if TYPE_CHECKING:
    from ..casebase.proposal import Proposal
    from ..rules.rulebase import RuleBase

SCHEMA_FILE = ".schema/rule.json"
"""Beside the rules, so that an editor finds it without a network."""


@dataclass(frozen=True)
class Wanted:
    """What the user said of a new rule; an empty part is asked for, or left to be filled in later."""

    id: str
    conclusion: str
    when: Sequence[str]
    unless: Sequence[str]
    title: str
    summary: str
    why: str
    certainty: float


def create(wanted: Wanted, incident: str | None, directory: Path | None) -> Path:
    """Write the file of a new rule and return its path.

    Raises:
        UserError: a part is missing or wrong, or a rule of this id is there already.
    """
    from ..rules.rulebase import RuleBase, team_directory

    base = RuleBase.load()
    if incident is not None:
        wanted = _from_incident(wanted, incident, base)
    if sys.stdin.isatty():
        wanted = _ask(wanted)
    folder = (directory or team_directory()).expanduser()
    path = folder / f"{wanted.id}.yaml"
    text = _text(wanted, base)
    if wanted.id in base.rules or path.exists():
        raise UserError(f"{wanted.id}: a rule of this id is there already; valid is a new id")
    save(path, text)
    problems = [str(problem) for problem in RuleBase.load([folder]).problems if problem.file == str(path)]
    if problems:
        path.unlink()
        raise UserError(problems[0])
    return path


def save(path: Path, text: str) -> None:
    """Write a rule's file, whole or not at all, with the schema that editors check it by beside it."""
    from ..probes.evidence.rundir import write_atomic

    path.parent.mkdir(parents=True, exist_ok=True)
    _write_schema(path.parent)
    write_atomic(path, text.encode("utf-8"))


def new_text() -> str:
    """Return a sound rule to begin with, to be changed in every part."""
    from ..rules.drafting import Draft, condition, write

    first = Draft("new-rule", "model.exploding-gradients", [condition("grad.norm_ratio >= 10")])
    return write(first, SCHEMA_FILE)


def _text(wanted: Wanted, base: RuleBase) -> str:
    from ..rules.documents.problems import suggest
    from ..rules.drafting import Draft, condition, write

    if not wanted.id:
        raise UserError(
            "no id for the rule; valid is for example: spikelore rules new norm-doubles --cause …"
        )
    if not wanted.conclusion:
        raise UserError(
            "nothing that the rule concludes; valid is --cause with an id of spikelore rules list"
        )
    known = wanted.conclusion in base.causes or wanted.conclusion.startswith(("symptom.", "pattern."))
    if not known:
        raise UserError(f"no cause is named {wanted.conclusion!r}; {suggest(wanted.conclusion, base.causes)}")
    if not wanted.when:
        raise UserError("no condition; valid is --when 'grad.norm_ratio >= 10', or --from INCIDENT")
    try:
        draft = Draft(
            wanted.id,
            wanted.conclusion,
            [condition(text) for text in wanted.when],
            [condition(text) for text in wanted.unless],
            wanted.title,
            wanted.summary,
            wanted.why,
            wanted.certainty,
        )
        return write(draft, SCHEMA_FILE)
    except ValueError as error:
        raise UserError(str(error)) from None


def _write_schema(folder: Path) -> None:
    from ..rules.documents.schemas import schema_of

    path = folder / SCHEMA_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(schema_of("rule"), encoding="utf-8")


def _from_incident(wanted: Wanted, incident: str, base: RuleBase) -> Wanted:
    from ..casebase.proposal import propose

    with opened() as library:
        proposal = propose(library, incident, base)
    if not proposal.found:
        raise UserError(
            f"{incident}: no fact sets it apart from {proposal.healthy} healthy windows;"
            " name conditions by --when"
        )
    _explain(proposal)
    return replace(
        wanted,
        conclusion=wanted.conclusion or proposal.cause,
        when=[*wanted.when, *(str(each.condition) for each in proposal.found)],
        summary=wanted.summary or f"Drawn from incident {incident}.",
    )


def _explain(proposal: Proposal) -> None:
    from ..rules.engine.condition import show

    counts = {"healthy": proposal.healthy, "others": proposal.others}
    typer.echo(
        tr("Set against {healthy} healthy windows and {others} incidents of other causes:", **counts),
        err=True,
    )
    for each in proposal.found:
        shares = {"healthy": percent(each.healthy), "others": percent(each.others)}
        rest = tr("here {value}; healthy {healthy}, other causes {others}", value=show(each.value), **shares)
        typer.echo(f"  {each.condition}  ({rest})", err=True)


def _ask(wanted: Wanted) -> Wanted:
    """Ask for what a rule cannot do without, showing what is valid."""
    identifier = wanted.id or typer.prompt(tr("Id of the rule, such as norm-doubles"))
    conclusion = wanted.conclusion or typer.prompt(
        tr("Cause that it concludes, such as model.exploding-gradients")
    )
    when = list(wanted.when)
    while not when or (not wanted.when and typer.confirm(tr("Another condition?"), default=False)):
        when.append(_asked_condition())
    summary = wanted.summary or _optional(tr("What it sees, in one sentence"))
    why = wanted.why or _optional(tr("Why that makes the loss jump"))
    return replace(wanted, id=identifier, conclusion=conclusion, when=when, summary=summary, why=why)


def _asked_condition() -> str:
    """Ask until a condition is understood; what is wrong with one is told at once."""
    from ..rules.drafting import condition

    while True:
        text: str = typer.prompt(tr("Condition, such as grad.norm_ratio >= 10"))
        try:
            condition(text)
        except ValueError as error:
            typer.echo(str(error), err=True)
        else:
            return text


def _optional(question: str) -> str:
    answer: str = typer.prompt(question, default="", show_default=False)
    return answer
