"""`goldloop pause` and `goldloop resume`: hold back new cards of a queue, and post them later."""

import typer

from bot.cli.context import QueueOption, opened
from bot.runtime.clock import utc_now
from core.delivery.pausing import pause_queue, resume_queue
from core.storage.database import PATIENT

commands = typer.Typer()


@commands.command()
def pause(queue: QueueOption) -> None:
    """Post no new cards in a queue until `goldloop resume`. Predictions are stored; open cards can be answered."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        changed = pause_queue(session, policy.queue(queue).name, utc_now())
    typer.echo(f"{queue} is paused: no new cards are posted." if changed else f"{queue} is paused already.")


@commands.command()
def resume(queue: QueueOption) -> None:
    """Post the cards that waited while a queue was paused, and new cards from now on."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        changed = resume_queue(session, policy.queue(queue).name)
    typer.echo(f"{queue} is no longer paused." if changed else f"{queue} is not paused.")
