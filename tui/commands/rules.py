"""List, show, check and test the rules that turn facts into causes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import emit_json, print_table
from ..errors import UserError

if TYPE_CHECKING:
    from ...rules.rulebase import RuleBase

app = typer.Typer(no_args_is_help=True)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Extra = Annotated[
    list[Path] | None,
    typer.Option("--dir", help="A further directory of rules, besides SPIKELORE_RULES.", show_default=False),
]


def _base(extra: Sequence[Path] | None) -> RuleBase:
    from ...rules.rulebase import RuleBase

    return RuleBase.load(extra or ())


@app.command("list")
def list_(directory: _Extra = None, as_json: _Json = False) -> None:
    """List the rules in force, with what they conclude."""
    base = _base(directory)
    rows = [
        {
            "id": rule.id,
            "concludes": rule.conclusion,
            "certainty": rule.certainty,
            "status": rule.status,
            "team": base.is_team(rule.id),
            "title": rule.title.en,
        }
        for rule in base.rules.values()
    ]
    if as_json:
        emit_json(rows)
        return
    print_table(
        ["RULE", "CONCLUDES", "CERTAINTY", "STATUS", "TITLE"],
        (
            [str(r["id"]), str(r["concludes"]), f"{r['certainty']:g}", str(r["status"]), str(r["title"])]
            for r in rows
        ),
        "No rules are in force.",
    )


@app.command()
def show(identifier: str, directory: _Extra = None) -> None:
    """Print the document of a rule, cause or fix, and where it is."""
    base = _base(directory)
    path = base.path(identifier)
    if path is None:
        from difflib import get_close_matches

        known = [*base.rules, *base.causes, *base.fixes]
        near = get_close_matches(identifier, known, 3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; spikelore rules list shows all"
        raise UserError(f"{identifier}: no such rule, cause or fix{hint}")
    typer.echo(f"# {path}\n{path.read_text(encoding='utf-8')}", nl=False)


@app.command()
def check(directory: _Extra = None) -> None:
    """Check every rule, cause and fix; exit with 1 when one is broken."""
    base = _base(directory)
    for problem in base.problems:
        typer.echo(f"{problem.severity}: {problem}")
    broken = sum(problem.severity == "error" for problem in base.problems)
    typer.echo(
        f"{len(base.rules)} rules, {len(base.causes)} causes, {len(base.fixes)} fixes; {broken} broken"
    )
    raise typer.Exit(1 if broken else 0)


@app.command("test")
def run_cases_of(
    identifier: Annotated[str | None, typer.Argument(help="One rule; all where left out.")] = None,
    directory: _Extra = None,
    as_json: _Json = False,
) -> None:
    """Run the cases that rules carry; exit with 1 when one fails."""
    from ...rules.cases import run_cases

    base = _base(directory)
    if identifier is not None and identifier not in base.rules:
        raise UserError(f"{identifier}: no such rule; spikelore rules list shows all")
    results = list(run_cases(base, identifier))
    failed = [result for result in results if not result.passed]
    if as_json:
        emit_json([{"rule": r.rule, "case": r.name, "problem": r.problem} for r in results])
    else:
        for result in failed:
            typer.echo(f"{result.rule}: {result.name}: {result.problem}")
        typer.echo(f"{len(results)} cases, {len(failed)} failed")
    raise typer.Exit(1 if failed else 0)
