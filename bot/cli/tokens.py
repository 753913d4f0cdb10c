"""`goldloop token make|list|revoke`: who may use the HTTP API."""

import secrets
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from core.people.api_tokens import make_token, revoke_token, tokens
from core.storage.database import PATIENT
from core.vocabulary import Scope

token = typer.Typer(no_args_is_help=True, help="Bearer tokens of the HTTP API: one for each sender.")
out = Console()

CHANCE = 32  # bytes: 256 bits


@token.command("make")
def make(
    name: Annotated[str, typer.Argument(help="whose it is, e.g. helpdesk")],
    scope: Annotated[list[Scope], typer.Option(help="what it may do; may be given several times")],
    queue: Annotated[str | None, typer.Option("--queue", "-q", help="good for this queue only; none: all")] = None,
) -> None:
    """Make a token and print it, this once: only its digest is stored."""
    with opened() as (database, _policy), database.transaction(wait=PATIENT) as session:
        made = make_token(session, name, secrets.token_urlsafe(CHANCE), scope, queue, utc_now())
    typer.echo(made)
    Console(stderr=True).print("Keep it in a safe place; it cannot be shown again.", style="dim")


@token.command("list")
def list_() -> None:
    """Every token that was made: whose, for what, last used when. Never the token itself."""
    with opened() as (database, _policy), database.reading() as session:
        lines = tokens(session)
    table = Table("name", "may", "queue", "made", "last used", "revoked")
    for line in lines:
        moments = (line.created_at, line.last_used_at, line.revoked_at)
        table.add_row(escape(line.name), ", ".join(line.scopes), line.queue or "all", *map(_shown, moments))
    out.print(table)


@token.command("revoke")
def revoke(name: str) -> None:
    """From now on this token opens nothing. Every process sees it with the next request."""
    with opened() as (database, _policy), database.transaction(wait=PATIENT) as session:
        revoke_token(session, name, utc_now())
    out.print(f"The token “{escape(name)}” is revoked.")


def _shown(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "–"
