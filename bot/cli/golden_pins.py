"""`goldloop golden pin` and `goldloop golden unpin`: past errors that no candidate may get wrong again."""

from typing import Annotated

import typer

from bot.cli.context import QueueOption, opened
from bot.runtime.clock import utc_now
from bot.wording.numbers import count
from core.learning.data.pins import NATURAL_BREAKS, pin, unpin
from core.records.learning import MOST_PINS
from core.storage.database import PATIENT

commands = typer.Typer(no_args_is_help=True, help="Look after the golden set.")

GoldenId = Annotated[int, typer.Argument(help="Id of the golden example, as reports show it.")]
By = Annotated[str, typer.Option("--by", help="Slack id of the lead who decides it.")]


@commands.command("pin")
def pin_example(golden_id: GoldenId, queue: QueueOption, by: By) -> None:
    """Refuse every candidate that gets this past error wrong again."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        pinned = pin(session, golden_id, by, utc_now(), policy.queue(queue))
    low, high = (round(share * 100) for share in NATURAL_BREAKS)
    typer.echo(f"Golden example {golden_id} is pinned ({pinned} of {MOST_PINS}).")
    typer.echo(
        f"An ordinary retraining breaks {low} to {high} of 100 past errors that are right, so each pin alone refuses "
        f"about {low} to {high} of 100 candidates, better ones too."
    )


@commands.command("unpin")
def unpin_example(golden_id: GoldenId, queue: QueueOption, by: By) -> None:
    """Let this past error count like any other."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        left = unpin(session, golden_id, by, policy.queue(queue))
    typer.echo(f"Golden example {golden_id} is not pinned. {count(left, 'past error')} pinned.")
