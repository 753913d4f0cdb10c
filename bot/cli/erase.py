"""`goldloop erase`: a person asked for their text to be taken out."""

from contextlib import suppress
from typing import Annotated

import typer

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from core.errors import NotFound
from core.privacy.erasure import Erased, erase
from core.storage.database import PATIENT

erasing = typer.Typer()


@erasing.command("erase")
def erase_ticket(
    external_id: Annotated[str, typer.Option(help="the sender's id of the ticket")],
    queue: Annotated[str, typer.Option("--queue", "-q", help="only in this queue; otherwise in all")] = "",
) -> None:
    """Take a ticket's text out of everything, for good. Counts, labels and decisions stay. Safe to repeat."""
    done: list[Erased] = []
    with opened() as (database, policy):
        names = [policy.queue(queue).name] if queue else [one.name for one in policy.queues]
        with database.transaction(wait=PATIENT) as session:
            for name in names:
                with suppress(NotFound):
                    done.append(erase(session, name, external_id, utc_now()))
        database.overwrite_log()
    if not done:
        raise NotFound(f"No queue has a prediction “{external_id}”. Ids are those that the sender gave.")
    for erased in done:
        typer.echo(in_numbers(erased))


def in_numbers(erased: Erased) -> str:
    counts = (
        f"{erased.queue}: erased {erased.predictions} predictions, {erased.golden} golden examples, "
        f"{erased.seeds} seed rows and {erased.notes} notes; "
        f"{erased.closed} open items closed, {erased.messages} messages to be redrawn."
    )
    if not erased.models:
        return f"{counts} No model has learnt from it."
    names = ", ".join(erased.models)
    return f"{counts}\nModels that learnt from it: {names}. Retrain, and promote the new one, to be rid of it."
