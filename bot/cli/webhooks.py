"""`goldloop webhooks`: how deliveries to other systems are doing, and sending them again."""

import base64
import secrets
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from bot.webhooks import secret_variable
from core.delivery.webhook_log import AttemptLine, EndpointLine, endpoint_lines, last_attempts, require_known
from core.delivery.webhooks import replay as send_again
from core.policy import Policy
from core.storage.database import PATIENT

webhooks = typer.Typer(invoke_without_command=True, help="What other systems are told, and whether they heard it.")
out = Console()


@webhooks.callback()
def show(
    context: typer.Context, attempts: Annotated[int, typer.Option(min=1, help="of the delivery log: so many")] = 10
) -> None:
    """Each endpoint's deliveries, and the last attempts."""
    if context.invoked_subcommand is not None:
        return
    with opened() as (database, policy), database.reading() as session:
        lines, log = endpoint_lines(session), last_attempts(session, attempts)
    out.print(_endpoints(policy, lines))
    out.print(_log(log))
    if any(line.dead for line in lines):
        out.print(
            "Dead deliveries were given up: they were refused for good, or tried for almost a day. "
            "When the cause is mended: goldloop webhooks replay"
        )


@webhooks.command()
def replay(
    endpoint: Annotated[str | None, typer.Option(help="only to this endpoint")] = None,
    event: Annotated[int | None, typer.Option(help="this event, also if it was delivered")] = None,
) -> None:
    """Send again what is dead, or one event. Receivers know it by its webhook-id."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        require_known(session, endpoint, event, [known.name for known in policy.webhooks])
        count = send_again(session, endpoint, event, utc_now())
    out.print(f"Tried again: {count}." if count else "There is nothing to send again.")


@webhooks.command()
def secret() -> None:
    """Print a new secret for an endpoint: for its environment variable here, and for the receiver."""
    typer.echo("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())


def _endpoints(policy: Policy, lines: list[EndpointLine]) -> Table:
    table = _table("endpoint", "pending", "delivered", "dead", "oldest pending", "address")
    known = {endpoint.name: endpoint.url for endpoint in policy.webhooks}
    none = [EndpointLine(name, 0, 0, 0, None) for name in known if name not in {line.endpoint for line in lines}]
    for line in [*lines, *none]:
        oldest = f"{line.oldest_pending:%Y-%m-%d %H:%M}" if line.oldest_pending else "–"
        address = escape(known.get(line.endpoint, "no longer in the policy file"))
        table.add_row(line.endpoint, str(line.pending), str(line.delivered), str(line.dead), oldest, address)
    table.caption = ", ".join(f"{name}: secret in {secret_variable(name)}" for name in known) or "none in the policy"
    return table


def _log(log: list[AttemptLine]) -> Table:
    table = _table("tried", "event", "what", "endpoint", "outcome", "ms", "now")
    for line in log:
        table.add_row(
            f"{line.at:%Y-%m-%d %H:%M:%S}", str(line.event_id), line.kind, line.endpoint,
            escape(line.outcome), str(line.milliseconds), line.state,
        )  # fmt: skip
    return table


def _table(*headers: str) -> Table:
    """What is too wide for the terminal goes on in the next line; an address without its end would help nobody."""
    return Table(*(Column(header, overflow="fold") for header in headers))
