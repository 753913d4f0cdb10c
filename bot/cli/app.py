"""The `goldloop` command, and how a refusal ends it (a sentence and exit code 2)."""

import gc
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.commands import LazyGroup
from bot.runtime.gc_tuning import collect_seldom
from core.errors import DatabaseUnavailable, Refusal

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

# Without markup: the boxes around the list take longer to draw than the rest of the help.
app = typer.Typer(cls=LazyGroup, no_args_is_help=True, add_completion=False, rich_markup_mode=None)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        from importlib.metadata import version

        typer.echo(f"goldloop {version('goldloop')}")
        raise typer.Exit


@app.callback()
def goldloop(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Experts correct a model in Slack; their corrections become an approved, better model."""


def main() -> None:
    """Run the console script. Refusals and database errors are printed as sentences; bugs keep their traceback."""
    collect_seldom()  # importing libraries creates many objects and frees few
    _log_lines()
    try:
        app()
    except Exception as error:
        sentence = _sentence(error)
        if sentence is None:
            raise
        _exit_with(sentence)
    finally:
        gc.freeze()  # at the end of the process, a collection of all objects takes a second with scikit-learn


def _log_lines() -> None:
    """Set up logging: before a command runs, but not before the help is printed."""
    if not {"--help", "--version"} & set(sys.argv[1:]) and len(sys.argv) > 1:
        from bot.observability.logs import set_up_logging

        set_up_logging(as_json=os.environ.get("GOLDLOOP_LOG") == "json")


def _sentence(error: Exception) -> str | None:
    """The sentence to print for an expected error; None: the error is a bug."""
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, DatabaseUnavailable):
        cause = f" Database error: {_first_line(error.__cause__)}." if isinstance(error.__cause__, DBAPIError) else ""
        return f"{error}{cause} Run `goldloop doctor` to check the database."
    if isinstance(error, DBAPIError):
        return f"Database error: {_first_line(error)}. Run `goldloop doctor` to check the database."
    return str(error) if isinstance(error, Refusal) else None


def _first_line(error: "DBAPIError") -> str:
    from bot.observability.logs import masked

    return masked(str(error.orig)).strip().splitlines()[0].rstrip(".")


def _exit_with(sentence: str) -> None:
    from rich.console import Console

    from bot.cli.printing import terminal_safe

    Console(stderr=True).print(f"[red]{terminal_safe(sentence)}[/]", highlight=False)
    sys.exit(2)
