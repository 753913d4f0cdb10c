"""`goldloop explain item|model`: how something was decided."""

from datetime import datetime

import typer
from rich.console import Console

from bot.cli.context import opened
from bot.cli.printing import inert
from bot.wording.format import PLAIN
from bot.wording.item_history import item_step
from bot.wording.model_history import model_step
from core.errors import NotFound
from core.learning.lifecycle.history import model_history
from core.records.reviews import ReviewItem
from core.review.history import item_history

out = Console()
explain = typer.Typer(no_args_is_help=True, help="How something was decided: by whom, when, on what grounds.")


@explain.command("item")
def explain_item(item_id: int) -> None:
    """One review item, from prediction to correction."""
    with opened() as (database, policy), database.reading() as session:
        if session.get(ReviewItem, item_id) is None:
            raise NotFound(f"There is no item {item_id}.")
        for line in item_history(session, item_id, None, policy):
            _print(line.at, item_step(line.step, PLAIN))


@explain.command("model")
def explain_model(model_id: int) -> None:
    """One model, from the request to train it to the decisions about it."""
    with opened() as (database, policy), database.reading() as session:
        for line in model_history(session, model_id, policy):
            _print(line.at, model_step(line.step, PLAIN))


def _print(at: datetime, words: str) -> None:
    out.print(f"[dim]{at:%Y-%m-%d %H:%M:%S}[/]  {inert(words)}", highlight=False, soft_wrap=True)
