"""`goldloop token`: create, list and revoke the tokens of the HTTP API."""

import secrets
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from core.people.api_tokens import create_token, revoke_token, tokens
from core.storage.database import PATIENT
from core.vocabulary import Scope

commands = typer.Typer(no_args_is_help=True, help="Manage the bearer tokens of the HTTP API.")
out = Console()

TOKEN_BYTES = 32  # 256 random bits


@commands.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who uses the token, e.g. helpdesk.")],
    scope: Annotated[list[Scope], typer.Option(help="What the token may do; repeat for several scopes.")],
    queue: Annotated[
        str | None, typer.Option("--queue", "-q", help="Limit the token to this queue; default: all queues.")
    ] = None,
) -> None:
    """Create a token and print it once; only its hash is stored."""
    with opened() as (database, _policy), database.transaction(wait=PATIENT) as session:
        created = create_token(session, name, secrets.token_urlsafe(TOKEN_BYTES), scope, queue, utc_now())
    typer.echo(created)
    Console(stderr=True).print("Store it safely; it cannot be shown again.", style="dim")


@commands.command("list")
def list_() -> None:
    """List all tokens with their scopes and last use. The tokens themselves are never shown."""
    with opened() as (database, _policy), database.reading() as session:
        lines = tokens(session)
    table = Table("name", "scopes", "queue", "created", "last used", "revoked")
    for line in lines:
        moments = (line.created_at, line.last_used_at, line.revoked_at)
        table.add_row(escape(line.name), ", ".join(line.scopes), line.queue or "all", *map(_shown, moments))
    out.print(table)


@commands.command("revoke")
def revoke(name: str) -> None:
    """Revoke a token. It is refused from the next request on."""
    with opened() as (database, _policy), database.transaction(wait=PATIENT) as session:
        revoke_token(session, name, utc_now())
    out.print(f"The token “{escape(name)}” is revoked.")


def _shown(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "–"
