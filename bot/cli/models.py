"""`goldloop retrain|roll-back`: a new candidate, or the former model back."""

from typing import Annotated

import typer
from rich.console import Console

from bot.cli.context import QueueOption, opened
from bot.runtime.clock import utc_now
from core.learning.lifecycle.rollback import rollback as bring_back
from core.learning.lifecycle.runs import request_run
from core.queues import queue_named
from core.storage.database import PATIENT
from core.vocabulary import OPERATOR, Trigger

models = typer.Typer()
out = Console()


@models.command()
def retrain(queue: QueueOption) -> None:
    """Ask for a new candidate now; a worker makes it."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        row = queue_named(session, queue)
        run_id = request_run(session, row, Trigger.COMMAND, OPERATOR, utc_now(), policy.queue(queue))
    out.print(f"Training run {run_id} is on its way." if run_id else "A training run is waiting already.")


@models.command("roll-back")
def rollback(queue: QueueOption, why: Annotated[str, typer.Option(help="kept with the decision")] = "") -> None:
    """Bring back the model that was live before the present one."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        name = bring_back(session, queue_named(session, queue), OPERATOR, why, utc_now(), policy.queue(queue))
    out.print(f"{name} is live again.")
