"""`goldloop erase`: remove a ticket's text, or the id of a person who has left, for good."""

import secrets
from contextlib import suppress
from typing import Annotated

import typer

from bot.cli.context import opened
from bot.runtime.clock import utc_now
from core.errors import Invalid, NotFound
from core.policy import Policy
from core.privacy.departed import erase_person
from core.privacy.erasure import Erased, erase
from core.privacy.purging import Purged, purge_models
from core.storage.database import PATIENT, Database
from core.vocabulary import FORMER

commands = typer.Typer()


@commands.command("erase")
def erase_ticket(
    external_id: Annotated[str, typer.Option(help="Id that the sender gave the prediction.")] = "",
    queue: Annotated[
        str, typer.Option("--queue", "-q", help="Erase it in this queue only; default: in all queues.")
    ] = "",
    purge: Annotated[
        bool,
        typer.Option(
            "--purge-models", help="Delete old models that were trained on it, except the live one, and retrain."
        ),
    ] = False,
    person: Annotated[
        str, typer.Option(help="Instead: Slack id of a person who has left, to be replaced by a pseudonym.")
    ] = "",
) -> None:
    """Erase the text of a prediction from everything that is stored, or the id of a person who has left. Counts, labels
    and decisions stay."""
    if bool(external_id) == bool(person) or (person and (queue or purge)):
        raise Invalid("Give --external-id, with or without --queue and --purge-models, or --person alone.")
    with opened() as (database, policy):
        lines = _erase_person(database, person) if person else _erase(database, policy, external_id, queue, purge)
    for line in lines:
        typer.echo(line)


def _erase(database: Database, policy: Policy, external_id: str, queue: str, purge: bool) -> list[str]:
    queues = [policy.queue(queue)] if queue else list(policy.queues)
    lines = []
    with database.transaction(wait=PATIENT) as session:
        for one in queues:
            with suppress(NotFound):
                erased = erase(session, one.name, external_id, utc_now())
                lines.append(summary(erased))
                if purge and erased.models:
                    lines.append(purge_summary(purge_models(session, one, erased.models, utc_now())))
    database.overwrite_log()
    if not lines:
        raise NotFound(f"No queue has a prediction with the external id “{external_id}”.")
    return lines


def _erase_person(database: Database, person: str) -> list[str]:
    with database.transaction(wait=PATIENT) as session:
        departed = erase_person(session, person, f"{FORMER}{secrets.token_hex(6)}")
    database.overwrite_log()
    counts = f"{_count(departed.votes, 'vote')}, {_count(departed.approvals, 'approval')}"
    others = f"{_count(departed.decisions, 'decision')} and {_count(departed.others, 'other row')}"
    return [f"Replaced {person} by {departed.pseudonym} in {counts}, {others}."]


def purge_summary(purged: Purged) -> str:
    deleted = f"Models deleted: {', '.join(purged.models)}." if purged.models else "No old model was deleted."
    asked = f"Training run {purged.run} is queued." if purged.run else "A training run is already queued."
    return f"{deleted} {asked} Promote its model."


def summary(erased: Erased) -> str:
    counts = (
        f"{erased.queue}: erased {_count(erased.predictions, 'prediction')}, "
        f"{_count(erased.golden, 'golden example')}, {_count(erased.seeds, 'seed row')}, "
        f"{_count(erased.pictures, 'picture')} and {_count(erased.notes, 'note')}; "
        f"closed {_count(erased.closed, 'open item')}; {_count(erased.messages, 'message')} to redraw."
    )
    if erased.finds:
        counts += f" Erased {_count(erased.finds, 'text')} found by scans."
    if erased.written:
        counts += f" {_count(erased.written, 'synthetic text')} erased that a language model wrote from it."
    runs = "".join(f"\nTraining run {run} is under way with it and will start again without it." for run in erased.runs)
    if not erased.models:
        return f"{counts} No model was trained on it.{runs}"
    names = ", ".join(erased.models)
    remedy = "To remove it from the live model, retrain and promote the new one."
    return f"{counts}\nModels trained on it: {names}. {remedy}{runs}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
