"""`goldloop webhooks`: show deliveries to other systems, and repeat them."""

import base64
import secrets
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from core.delivery.webhook_log import AttemptLine, EndpointLine, endpoint_lines, last_attempts, require_known
from core.delivery.webhooks import replay as send_again
from core.policy import Policy
from core.policy.integrations import secret_variable
from core.storage.database import PATIENT

commands = typer.Typer(invoke_without_command=True, help="Show webhook deliveries, and send them again.")
out = Console()


@commands.callback()
def show(
    context: typer.Context,
    attempts: Annotated[int, typer.Option(min=1, help="Number of recent attempts to show.")] = 10,
) -> None:
    """Show each endpoint's deliveries and the last attempts, or run one of the commands below."""
    if context.invoked_subcommand is not None:
        return
    with opened() as (database, policy), database.reading() as session:
        lines, log = endpoint_lines(session), last_attempts(session, attempts)
    out.print(_endpoints(policy, lines))
    out.print(_log(log))
    if any(line.dead for line in lines):
        out.print(
            "Dead deliveries are no longer tried: the endpoint refused them, or every attempt of almost a day failed. "
            "Once the cause is fixed, run `goldloop webhooks replay`."
        )


@commands.command()
def replay(
    endpoint: Annotated[str | None, typer.Option(help="Send to this endpoint only.")] = None,
    event: Annotated[int | None, typer.Option(help="Send this event, even if it was delivered.")] = None,
) -> None:
    """Send dead deliveries again, or one event. Each keeps its webhook-id, so receivers can skip duplicates."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        require_known(session, endpoint, event, [known.name for known in policy.webhooks])
        count = send_again(session, endpoint, event, utc_now())
    out.print(
        f"{count} {'delivery' if count == 1 else 'deliveries'} will be sent again."
        if count
        else "Nothing to send again."
    )


@commands.command()
def secret() -> None:
    """Print a new signing secret, for the endpoint's environment variable and for the receiver."""
    typer.echo("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())


def _endpoints(policy: Policy, lines: list[EndpointLine]) -> Table:
    table = _table("endpoint", "pending", "delivered", "dead", "oldest pending", "address")
    known = {endpoint.name: endpoint.url for endpoint in policy.webhooks}
    none = [EndpointLine(name, 0, 0, 0, None) for name in known if name not in {line.endpoint for line in lines}]
    for line in [*lines, *none]:
        oldest = f"{line.oldest_pending:%Y-%m-%d %H:%M}" if line.oldest_pending else "–"
        address = escape(known.get(line.endpoint, "not in the policy file"))
        table.add_row(line.endpoint, str(line.pending), str(line.delivered), str(line.dead), oldest, address)
    table.caption = (
        ", ".join(f"{name}: secret in {secret_variable(name)}" for name in known) or "The policy file has no webhooks."
    )
    return table


def _log(log: list[AttemptLine]) -> Table:
    table = _table("attempted", "event", "type", "endpoint", "outcome", "ms", "state")
    for line in log:
        table.add_row(
            f"{line.at:%Y-%m-%d %H:%M:%S}", str(line.event_id), line.kind, line.endpoint,
            escape(line.outcome), str(line.milliseconds), line.state,
        )  # fmt: skip
    return table


def _table(*headers: str) -> Table:
    """A table that wraps long cells instead of cutting them: an address is useless without its end."""
    return Table(*(Column(header, overflow="fold") for header in headers))
