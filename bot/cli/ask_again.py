"""The command `goldloop ask-again`: a second look at a stored label."""

from typing import Annotated

import typer

from bot.cli.context import QueueOption, opened
from bot.runtime.clock import utc_now
from core.errors import Invalid
from core.review.ask_again import ask_about_golden, ask_about_training_row
from core.storage.database import PATIENT
from core.vocabulary import OPERATOR, Source

commands = typer.Typer()


@commands.command("ask-again")
def ask_again(
    queue: QueueOption,
    golden: Annotated[int | None, typer.Option(help="Id of a golden example.")] = None,
    seed: Annotated[int | None, typer.Option(help="Id of a seed example that is used for training.")] = None,
    correction: Annotated[int | None, typer.Option(help="Id of a correction that is used for training.")] = None,
) -> None:
    """Ask reviewers again about a stored label. They do not see it; the label that they agree on replaces it."""
    given = [one for one in (golden, seed, correction) if one is not None]
    if len(given) != 1:
        raise Invalid("Give exactly one of --golden, --seed and --correction.")
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        rules, now = policy.queue(queue), utc_now()
        if golden is not None:
            item_id = ask_about_golden(session, golden, OPERATOR, now, rules)
        else:
            source = Source.SEED if seed is not None else Source.CORRECTION
            item_id = ask_about_training_row(session, source, given[0], OPERATOR, now, rules)
    typer.echo(f"Item {item_id} was opened for the reviewers of {rules.shown_title}.")
