"""`goldloop labels`: whether suggestions sway votes, and labels that were settled under an older guideline."""

from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from bot.cli.context import opened
from bot.cli.printing import terminal_safe
from bot.wording.format import PLAIN
from bot.wording.settled_labels import anchoring_lines, stale_lines
from core.queues import queue_named
from core.review.anchoring import anchoring
from core.review.settled_labels import judged_votes, stale_labels

commands = typer.Typer()


@commands.command()
def labels(
    queue: Annotated[str, typer.Argument(help="Name of the queue.")],
    most: Annotated[int, typer.Option(min=1, help="Labels to list at most.")] = 50,
) -> None:
    """Show how far suggestions sway votes, and the labels that were settled under an older guideline."""
    with opened() as (database, policy), database.reading() as session:
        name = policy.queue(queue).name
        votes = judged_votes(session, queue_named(session, name).id)
        stale = stale_labels(session, name, most)
    out = Console()
    for line in (*anchoring_lines(anchoring(votes, np.random.default_rng(0))), *stale_lines(stale, name, PLAIN)):
        out.print(terminal_safe(line), highlight=False, soft_wrap=True)
