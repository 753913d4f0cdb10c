"""`goldloop slices`: where the present model is wrong more often than elsewhere."""

from typing import Annotated

import typer
from rich.console import Console

from bot.cli.context import opened
from bot.cli.printing import terminal_safe
from bot.wording.format import PLAIN
from bot.wording.slices import label_whys, slice_lines
from core.quality.slices import weak_slices, whys_by_label
from core.queues import queue_named
from core.review.known_rows import known_rows

commands = typer.Typer()


@commands.command()
def slices(queue: Annotated[str, typer.Argument(help="Name of the queue.")]) -> None:
    """Show where the present model is wrong more often than elsewhere, and what helps."""
    with opened() as (database, policy), database.reading() as session:
        rows = known_rows(session, queue_named(session, policy.queue(queue).name).id)
    out = Console()
    for line in [*slice_lines(weak_slices(rows), len(rows), PLAIN), *label_whys(whys_by_label(rows), PLAIN)]:
        out.print(terminal_safe(line), highlight=False, soft_wrap=True)
