"""`goldloop …` in the terminal. Expected noes are sentences with exit code 2.

What only some commands need (Slack, the web, the demo) is imported by them, so that the others start quickly.
"""

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.exc import DBAPIError

from bot.cli.ask_again import asking_again
from bot.cli.data import data
from bot.cli.demo import playing
from bot.cli.erase import erasing
from bot.cli.explain import explain
from bot.cli.models import models
from bot.cli.printing import inert
from bot.cli.processes import processes
from bot.cli.setup import setting_up
from bot.cli.tokens import token
from bot.cli.webhooks import webhooks
from bot.observability.logs import masked, set_up_logging
from core.errors import DatabaseUnavailable, Refusal

app = typer.Typer(no_args_is_help=True, add_completion=False)
for group in (processes, setting_up, data, models, asking_again, erasing, playing):
    app.add_typer(group)
app.add_typer(explain, name="explain")
app.add_typer(token, name="token")
app.add_typer(webhooks, name="webhooks")


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"goldloop {version('goldloop')}")
        raise typer.Exit


@app.callback()
def goldloop(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="which release this is")
    ] = False,
) -> None:
    """People correct a model in Slack; it learns."""


def main() -> None:
    """The console script: refusals are said in a sentence, and what the database says; bugs are shown as they are."""
    set_up_logging(as_json=os.environ.get("GOLDLOOP_LOG") == "json")
    try:
        app()
    except DatabaseUnavailable as busy:
        cause = f" The database says: {_of_database(busy.__cause__)}." if isinstance(busy.__cause__, DBAPIError) else ""
        _say_and_end(f"{busy}{cause} `goldloop doctor` says which database is meant and what is wrong.")
    except Refusal as refusal:
        _say_and_end(str(refusal))
    except DBAPIError as error:
        _say_and_end(f"The database says: {_of_database(error)}. `goldloop doctor` looks at it.")


def _of_database(error: DBAPIError) -> str:
    return masked(str(error.orig)).strip().splitlines()[0].rstrip(".")


def _say_and_end(sentence: str) -> None:
    Console(stderr=True).print(f"[red]{inert(sentence)}[/]", highlight=False)
    sys.exit(2)
