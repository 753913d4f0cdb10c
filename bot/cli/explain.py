"""`goldloop explain`: how an item or a model was decided."""

from datetime import datetime

import typer
from rich.console import Console

from bot.cli.context import ModelArgument, ModelQueueOption, model_meant, opened
from bot.cli.printing import terminal_safe
from bot.wording.format import PLAIN
from bot.wording.item_history import item_step
from bot.wording.model_history import model_step
from core.errors import NotFound
from core.learning.lifecycle.history import model_history
from core.records.reviews import ReviewItem
from core.review.history import item_history

out = Console()
commands = typer.Typer(no_args_is_help=True, help="Show who decided what, when and why.")


@commands.command("item")
def explain_item(item_id: int) -> None:
    """Show the history of a review item, from prediction to correction."""
    with opened() as (database, policy), database.reading() as session:
        if session.get(ReviewItem, item_id) is None:
            raise NotFound(f"There is no item {item_id}.")
        for line in item_history(session, item_id, None, policy):
            _print(line.at, item_step(line.step, PLAIN))


@commands.command("model")
def explain_model(model: ModelArgument, queue: ModelQueueOption = "") -> None:
    """Show the history of a model, from the training request to the decisions about it."""
    with opened() as (database, policy), database.reading() as session:
        for line in model_history(session, model_meant(session, policy, model, queue), policy):
            _print(line.at, model_step(line.step, PLAIN))


def _print(at: datetime, words: str) -> None:
    out.print(f"[dim]{at:%Y-%m-%d %H:%M:%S}[/]  {terminal_safe(words)}", highlight=False, soft_wrap=True)
