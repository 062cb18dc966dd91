"""The command line: every verb is a module of ``tui.commands``, imported only when it is used."""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from . import commands
from .errors import UserError, is_expected, note_crash, sentence

PANELS = {
    "Record": ("demo", "run", "attach", "detach", "ps", "preflight"),
    "Diagnose": ("triage", "runs", "diagnose", "report", "import", "replay"),
    "Remember": ("search", "cases", "rules"),
    "This machine": ("doctor",),
}
"""Order and panel of the verbs in the help; a verb that is not named here comes last."""

DONE, FOUND, USAGE = 0, 1, 2

_COMPLETION = ("install_completion", "show_completion")


@cache
def verbs() -> dict[str, str]:
    """Return every verb and its one-line help, in the order of the help."""
    found = {}
    for path in sorted(Path(commands.__file__).parent.glob("*.py")):
        if path.stem != "__init__":
            found[path.stem.rstrip("_").replace("_", "-")] = _summary(path)
    order = [verb for panel in PANELS.values() for verb in panel]
    return dict(sorted(found.items(), key=lambda item: (_rank(item[0], order), item[0])))


def _rank(verb: str, order: list[str]) -> int:
    return order.index(verb) if verb in order else len(order)


def _summary(path: Path) -> str:
    # Only the docstring's first line is wanted, and parsing stops there.
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    text = first if first.rstrip().endswith('"""') and len(first) > 6 else first + '"""'
    return str(ast.literal_eval(text))


def _module_name(verb: str) -> str:
    stem = verb.replace("-", "_")
    folder = Path(commands.__file__).parent
    return stem if (folder / f"{stem}.py").exists() else f"{stem}_"


class VerbGroup(typer.core.TyperGroup):
    """Finds verbs by walking the folder and imports the one that is called."""

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is Typer's
        """Return the verbs in the order of the help."""
        return list(verbs())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - likewise
        """Return the verb's command, or only its line of help while the help is printed."""
        if cmd_name not in verbs():
            return None
        if self._listing:
            panel = next((name for name, members in PANELS.items() if cmd_name in members), None)
            return typer.core.TyperCommand(cmd_name, help=verbs()[cmd_name], rich_help_panel=panel)
        module = importlib.import_module(f"{commands.__name__}.{_module_name(cmd_name)}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        command.help = command.help or verbs()[cmd_name]
        # Each module is an application of its own to Typer, but completion belongs to spikelore as a whole.
        command.params = [option for option in command.params if option.name not in _COMPLETION]
        return command

    def make_context(self, *args: Any, **options: Any) -> Any:
        """Read the arguments; help and version are printed here."""
        with _reader_may_leave():
            return super().make_context(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        with _reader_may_leave():
            return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help without importing any verb."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb, or say which ones are close.

        Raises:
            UserError: there is no such verb.
        """
        if args[0] not in verbs() and not args[0].startswith("-"):
            close = get_close_matches(args[0], verbs(), n=2)
            hint = f"did you mean {' or '.join(close)}?" if close else f"valid: {', '.join(verbs())}"
            raise UserError(f"no verb {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


class ReaderGoneError(Exception):
    """Whoever read the output has left, as in ``spikelore runs | head -1``."""


@contextlib.contextmanager
def _reader_may_leave() -> Iterator[None]:
    # Typer and rich would end with exit code 1, which here means "found".
    try:
        yield
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
            raise ReaderGoneError from error
        raise


def _version(value: bool) -> None:
    if value:
        from .. import __version__

        typer.echo(f"spikelore {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="spikelore",
    cls=VerbGroup,
    no_args_is_help=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def spikelore(
    ctx: typer.Context,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """The flight recorder and the doctor of a PyTorch training job."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def main(args: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 found, 2 usage or input error."""
    # Typer would print a framed, several-line error; the contract is one line.
    command = typer.main.get_command(app)
    try:
        _apply_settings()
        code = command.main(args, prog_name="spikelore", standalone_mode=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except (ReaderGoneError, BrokenPipeError):
        return _stop_quietly()
    except (typer.Abort, EOFError):
        return USAGE
    except Exception as error:  # noqa: BLE001 - the last line of defence before the user's terminal
        return _complain(error)
    return code if isinstance(code, int) else DONE


def _apply_settings() -> None:
    """Let the settings file stand for the environment, where that says nothing."""
    from .settings import load

    settings = load()
    for name, value in (
        ("SPIKELORE_DB", settings.database),
        ("SPIKELORE_LANG", settings.language),
        ("SPIKELORE_RULES", os.pathsep.join(settings.rules)),
    ):
        if value:
            os.environ.setdefault(name, value)


def _complain(error: Exception) -> int:
    if os.environ.get("SPIKELORE_DEBUG"):
        raise error
    message = getattr(error, "format_message", lambda: "")()
    if message:
        where = getattr(getattr(error, "ctx", None), "command_path", "spikelore")
        text = f"{where}: {' '.join(message.split())}  (see {where} --help)"
    elif is_expected(error):
        text = f"spikelore: {sentence(error)}"
    else:
        noted = note_crash(error)
        text = f"spikelore: {sentence(error)}; this is a defect in spikelore, details in {noted}"
    print(text, file=sys.stderr)
    return USAGE


def _stop_quietly() -> int:
    """End after the reader of a pipe went away: nothing is left to say and nobody to say it to."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return DONE


if __name__ == "__main__":
    sys.exit(main())
