"""The command line as a document, written from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from .cli import PANELS, app

HEAD = """# Command line

Written from the commands by `make docs`. Exit codes: 0 done, 1 found (only with a `--fail-on…` option or
a failed check), 2 a usage or input error, told in one line. `spikelore run` ends with the job's own code.

| variable | means |
| --- | --- |
| `SPIKELORE_HOME` | folder of runs, settings and cases; by default the platform's folder for user data |
| `SPIKELORE_DB` | address of the case library, `sqlite:///FILE` or `postgresql://…` |
| `SPIKELORE_RULES` | further folders of rules, separated as in `PATH` |
| `SPIKELORE_LANG` | `en` or `zh`; by default the locale's |
| `SPIKELORE_DEBUG` | any value: show the traceback of an error |
"""


def markdown() -> str:
    """Return the document."""
    group: Any = typer.main.get_command(app)
    context = group.context_class(group, info_name="spikelore")
    parts = [HEAD]
    for panel, members in {**PANELS, "More": ()}.items():
        known = {verb for verbs in PANELS.values() for verb in verbs}
        listed = group.list_commands(context)
        chosen = [verb for verb in listed if verb in members or (panel == "More" and verb not in known)]
        if chosen:
            parts.append(f"## {panel}\n")
        for verb in chosen:
            parts += _command(group.get_command(context, verb), context, f"spikelore {verb}", "###")
    return "\n".join(parts)


def _command(command: Any, parent: Any, path: str, level: str) -> Iterator[str]:
    context = command.context_class(command, info_name=path.rpartition(" ")[2], parent=parent)
    yield f"{level} `{path}`\n"
    yield f"{_prose(command.help or '')}\n"
    subcommands = getattr(command, "commands", {})
    if not subcommands:
        yield f"```\n{path} [OPTIONS]{_arguments(command)}\n```\n"
        yield from _parameters(command, context)
    for name, sub in subcommands.items():
        yield from _command(sub, context, f"{path} {name}", level + "#")


def _arguments(command: Any) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    names = (f"{_metavar(one)}{'...' if one.nargs == -1 else ''}" for one in arguments)
    return "".join(
        f" {name}" if one.required else f" [{name}]" for one, name in zip(arguments, names, strict=True)
    )


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper().rstrip("_"))


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _parameters(command: Any, context: Any) -> Iterator[str]:
    rows = [row for parameter in command.get_params(context) if (row := _row(parameter, context))]
    if rows:
        yield "| | |\n| --- | --- |"
        yield from rows
        yield ""


def _row(parameter: Any, context: Any) -> str:
    if "--help" in parameter.opts or getattr(parameter, "hidden", False):
        return ""
    record = parameter.get_help_record(context)
    text = record[1] if record else ""
    if parameter.param_type_name == "argument":
        name = f"`{_metavar(parameter)}`"
    else:
        name = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
    return f"| {name} | {' '.join(text.split()).replace('|', chr(92) + '|')} |"
