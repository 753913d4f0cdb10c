"""`goldloop erase`: remove a person's text for good."""

from contextlib import suppress
from typing import Annotated

import typer

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from core.errors import NotFound
from core.privacy.erasure import Erased, erase
from core.storage.database import PATIENT

commands = typer.Typer()


@commands.command("erase")
def erase_ticket(
    external_id: Annotated[str, typer.Option(help="Id that the sender gave the prediction.")],
    queue: Annotated[
        str, typer.Option("--queue", "-q", help="Erase it in this queue only; default: in all queues.")
    ] = "",
) -> None:
    """Erase the text of a prediction from everything that is stored. Counts, labels and decisions stay."""
    done: list[Erased] = []
    with opened() as (database, policy):
        names = [policy.queue(queue).name] if queue else [one.name for one in policy.queues]
        with database.transaction(wait=PATIENT) as session:
            for name in names:
                with suppress(NotFound):
                    done.append(erase(session, name, external_id, utc_now()))
        database.overwrite_log()
    if not done:
        raise NotFound(f"No queue has a prediction with the external id “{external_id}”.")
    for erased in done:
        typer.echo(summary(erased))


def summary(erased: Erased) -> str:
    counts = (
        f"{erased.queue}: erased {_count(erased.predictions, 'prediction')}, "
        f"{_count(erased.golden, 'golden example')}, {_count(erased.seeds, 'seed row')} "
        f"and {_count(erased.notes, 'note')}; closed {_count(erased.closed, 'open item')}; "
        f"{_count(erased.messages, 'message')} to redraw."
    )
    if not erased.models:
        return f"{counts} No model was trained on it."
    names = ", ".join(erased.models)
    return (
        f"{counts}\nModels trained on it: {names}. To remove it from the live model, retrain and promote the new one."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
