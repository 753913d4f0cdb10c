"""`goldloop synthetic`: the batches of written texts, and how to retire one."""

from typing import Annotated

import typer
from rich.console import Console

from bot.cli.context import QueueOption, opened
from bot.cli.printing import terminal_safe
from bot.cli.synthesize import show_batch
from bot.runtime.clock import utc_now
from core.storage.database import PATIENT
from core.synthesis.batches import retire_batch
from core.synthesis.cards import batch_card, newest_batches
from core.vocabulary import OPERATOR, SyntheticState

commands = typer.Typer(no_args_is_help=True, help="Show the batches of texts that a language model wrote; retire one.")
out = Console()

BatchId = Annotated[int, typer.Argument(help="Id of the batch, as cards and reports show it.")]


@commands.command()
def status(queue: QueueOption) -> None:
    """List a queue's batches, the newest first."""
    with opened() as (database, policy), database.reading(wait=PATIENT) as session:
        cards = newest_batches(session, policy, policy.queue(queue).name)
    if not cards:
        out.print(terminal_safe(f"No batch of {queue} yet."))
    for card in cards:
        show_batch(card)


@commands.command()
def show(batch: BatchId) -> None:
    """Show one batch: what was sent where, what the guards dropped, what people said."""
    with opened() as (database, policy), database.reading(wait=PATIENT) as session:
        card = batch_card(session, batch, policy)
    show_batch(card)


@commands.command()
def retire(batch: BatchId) -> None:
    """Take a batch out of all further training, or withdraw one that is written or judged."""
    with opened() as (database, _policy), database.transaction(wait=PATIENT) as session:
        before = retire_batch(session, batch, OPERATOR, utc_now())
    if before is SyntheticState.ADMITTED:
        out.print(f"Batch {batch} is retired. Models that learned from it are unchanged: train and promote a new one.")
    else:
        out.print(f"Batch {batch} is withdrawn. It will not train.")
