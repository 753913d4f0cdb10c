"""The `goldloop` command: its groups of commands, and how a refusal ends it (a sentence and exit code 2).

Modules that only some commands need (Slack, the web server, the demo) are imported inside those commands, so that the
others start quickly.
"""

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from bot.cli import (
    ask_again,
    backups,
    data,
    demo,
    erase,
    explain,
    export,
    golden,
    model,
    models,
    pages,
    pausing,
    policy,
    processes,
    setup,
    status,
    tokens,
    webhooks,
)
from bot.cli.printing import terminal_safe
from bot.observability.logs import masked, set_up_logging
from core.errors import DatabaseUnavailable, Refusal

app = typer.Typer(no_args_is_help=True, add_completion=False)
for group in (processes, setup, status, data, models, ask_again, pausing, backups, erase, demo, pages):
    app.add_typer(group.commands)
app.add_typer(explain.commands, name="explain")
app.add_typer(export.commands, name="export")
app.add_typer(golden.commands, name="golden")
app.add_typer(model.commands, name="model")
app.add_typer(policy.commands, name="policy")
app.add_typer(tokens.commands, name="token")
app.add_typer(webhooks.commands, name="webhooks")


def _print_version(is_requested: bool) -> None:
    if is_requested:
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
    set_up_logging(as_json=os.environ.get("GOLDLOOP_LOG") == "json")
    try:
        app()
    except DatabaseUnavailable as busy:
        cause = f" Database error: {_first_line(busy.__cause__)}." if isinstance(busy.__cause__, DBAPIError) else ""
        _exit_with(f"{busy}{cause} Run `goldloop doctor` to check the database.")
    except Refusal as refusal:
        _exit_with(str(refusal))
    except DBAPIError as error:
        _exit_with(f"Database error: {_first_line(error)}. Run `goldloop doctor` to check the database.")


def _first_line(error: DBAPIError) -> str:
    return masked(str(error.orig)).strip().splitlines()[0].rstrip(".")


def _exit_with(sentence: str) -> None:
    Console(stderr=True).print(f"[red]{terminal_safe(sentence)}[/]", highlight=False)
    sys.exit(2)
