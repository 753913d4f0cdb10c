"""`goldloop policy …`: compare the policy file with the policy in force, put it in force, and show former versions."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.cli.context import opened
from bot.cli.printing import terminal_safe
from bot.runtime.clock import utc_now
from bot.runtime.open_database import open_database
from bot.runtime.policy_in_force import reload_policy, this_user
from bot.runtime.settings import load_settings
from bot.wording.policy_changes import advice, change_lines
from bot.wording.policy_file import policy_file
from core.errors import NotFound
from core.policy.changes import changes
from core.policy.file import load_policy
from core.policy_in_force.versions import policy_versions, stored_policy, version_meant

commands = typer.Typer(
    help="Compare the policy file with the policy in force, put it in force, and show past versions."
)
FOLLOW_UP = "Running processes take it within 5 seconds. Run `goldloop doctor` to check its channels and people."


@commands.command()
def reload() -> None:
    """Validate the policy file and put it in force in all running processes, without a restart."""
    settings = load_settings()
    with open_database(settings.database_url, settings.sqlite_full_sync) as database:
        put = reload_policy(database, settings.policy, this_user(), utc_now())
    if put is None:
        typer.echo(f"{settings.policy} is in force already. Nothing was changed.")
        return
    for line in change_lines(put.changes):
        typer.echo(line)
    typer.echo(f"Version {put.version} of the policy is in force. {FOLLOW_UP}")
    for sentence in advice(put.changes):
        typer.echo(sentence)


@commands.command()
def diff() -> None:
    """Show what `goldloop policy reload` would change. Exit code 1 if it would change anything."""
    file = load_policy(load_settings().policy)
    with opened() as (_database, in_force):
        found = changes(in_force, file)
    for line in change_lines(found):
        typer.echo(line)
    if found:
        raise typer.Exit(1)


@commands.command()
def show(
    version: Annotated[
        str, typer.Argument(help="A version, or the fingerprint of a queue's policy; default: what is in force.")
    ] = "",
) -> None:
    """Print a version of the policy as a policy file: every setting that differs from its default."""
    with opened() as (database, policy):
        if version:
            with database.reading() as session:
                policy = stored_policy(session, version_meant(session, version)).policy
    typer.echo(policy_file(policy), nl=False)


@commands.command()
def history() -> None:
    """List the versions of the policy, newest first, with the fingerprints that decisions store."""
    with opened() as (database, _policy), database.reading() as session:
        versions = policy_versions(session)
    if not versions:
        raise NotFound("No policy was stored yet. Start Goldloop, or run `goldloop migrate`.")
    table = Table("version", "in force since", "by", "queues", box=None, header_style="bold")
    for one in versions:
        queues = ", ".join(f"{name} {fingerprint}" for name, fingerprint in one.queues.items())
        since = one.stored_at.strftime("%Y-%m-%d %H:%M UTC")
        table.add_row(str(one.version), since, terminal_safe(one.stored_by), queues)
    Console().print(table, highlight=False)
