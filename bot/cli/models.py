"""`goldloop retrain` and `goldloop rollback`: request a new candidate, or bring back the previous model."""

from typing import Annotated

import typer
from rich.console import Console

from bot.cli.context import QueueOption, opened
from bot.runtime.clock import utc_now
from core.learning.lifecycle.rollback import rollback
from core.learning.lifecycle.runs import request_run
from core.queues import queue_named
from core.storage.database import PATIENT
from core.vocabulary import OPERATOR, Trigger

commands = typer.Typer()
out = Console()


@commands.command()
def retrain(queue: QueueOption) -> None:
    """Request a new candidate model now; a worker trains it."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        row = queue_named(session, queue)
        run_id = request_run(session, row, Trigger.COMMAND, OPERATOR, utc_now(), policy.queue(queue))
    out.print(f"Training run {run_id} is queued." if run_id else "A training run is already queued.")


@commands.command("rollback")
def roll_back(
    queue: QueueOption, why: Annotated[str, typer.Option(help="Reason, stored with the decision.")] = ""
) -> None:
    """Make the previously live model live again."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        name = rollback(session, queue_named(session, queue), OPERATOR, why, utc_now(), policy.queue(queue))
    out.print(f"{name} is live again.")
