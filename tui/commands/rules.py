"""List, show, check and test the rules that turn facts into causes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import language
from ..console import emit_json, print_table
from ..errors import UserError
from ..language import tr

if TYPE_CHECKING:
    from ...rules.rulebase import RuleBase

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _in_language() -> None:
    language.use(language.choose())


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
            "title": rule.title.pick(language.current()),
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
        tr("No rules are in force."),
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
    counts = {"rules": len(base.rules), "causes": len(base.causes), "fixes": len(base.fixes)}
    typer.echo(tr("{rules} rules, {causes} causes, {fixes} fixes; {broken} broken", **counts, broken=broken))
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
        typer.echo(tr("{n} cases, {failed} failed", n=len(results), failed=len(failed)))
    raise typer.Exit(1 if failed else 0)


_Name = Annotated[str | None, typer.Argument(help="Id of the rule: lower case words with hyphens.")]
_Conditions = Annotated[
    list[str] | None,
    typer.Option("--when", help="A condition that must hold, such as 'grad.norm_ratio >= 10'; several may."),
]
_Unless = Annotated[list[str] | None, typer.Option("--unless", help="A condition that forbids the rule.")]


@app.command()
def new(  # noqa: PLR0913, PLR0917 - one parameter an option
    identifier: _Name = None,
    concludes: Annotated[
        str | None, typer.Option("--cause", help="A cause's id, symptom.NAME or pattern.NAME.")
    ] = None,
    when: _Conditions = None,
    unless: _Unless = None,
    incident: Annotated[
        str | None, typer.Option("--from", help="Take the conditions that set an incident apart.")
    ] = None,
    title: str = "",
    summary: Annotated[str, typer.Option(help="What the rule sees, in one sentence.")] = "",
    why: Annotated[str, typer.Option(help="Why that makes the loss jump.")] = "",
    certainty: Annotated[float, typer.Option(min=0.01, max=1.0)] = 0.6,
    directory: Annotated[
        Path | None, typer.Option("--dir", help="Where to write it; by default the team's directory.")
    ] = None,
) -> None:
    """Write a new rule, checked, into the team's directory; asks for what is not given."""
    from .. import rule_writing

    asked = rule_writing.Wanted(
        identifier or "", concludes or "", when or [], unless or [], title, summary, why, certainty
    )
    path = rule_writing.create(asked, incident, directory)
    typer.echo(path)
    typer.echo(tr("Next: spikelore rules test {rule}, then spikelore rules backtest {rule}", rule=path.stem))


@app.command()
def backtest(
    identifier: Annotated[
        str | None, typer.Argument(help="One rule; all of the team's where left out.")
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(help="A folder of run directories, instead of the case library.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Dask scheduler whose workers do it, such as tcp://host:8786.")
    ] = None,
    directory: _Extra = None,
    as_json: _Json = False,
) -> None:
    """Replay a rule, or all of the team's, against every stored incident and healthy run."""
    from .. import backtesting

    base = _base(directory)
    rules = [rule for name, rule in base.rules.items() if identifier == name or not identifier]
    if identifier is None:
        rules = [rule for rule in rules if base.is_team(rule.id)]
    if not rules:
        asked = f"{identifier}: no such rule in force" if identifier else "the team has no rules in force"
        raise UserError(f"{asked}; spikelore rules list shows all, rules check names what is broken")
    reports = [backtesting.run(rule, base, runs, workers, cluster, quiet=as_json) for rule in rules]
    if as_json:
        emit_json(reports if identifier is None else reports[0])
        return
    for report in reports:
        backtesting.show(report)


@app.command()
def facts(
    run: Annotated[
        str | None, typer.Argument(help="A run or a log: only what is known of it, with the values.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """List the facts that conditions can name, with the values of a run."""
    from .. import fact_list

    fact_list.show(run, as_json=as_json)


@app.command()
def schema(
    kind: Annotated[str, typer.Argument(help="rule, cause or fix.")] = "rule",
    output: Annotated[Path | None, typer.Option(help="Write it to a file.")] = None,
) -> None:
    """Print the JSON Schema of a document, for editors."""
    from ...rules.documents.schemas import KINDS, schema_of

    if kind not in KINDS:
        raise UserError(f"{kind}: no kind of document; valid: {', '.join(KINDS)}")
    if output is None:
        typer.echo(schema_of(kind), nl=False)
    else:
        output.write_text(schema_of(kind), encoding="utf-8")
        typer.echo(str(output))
