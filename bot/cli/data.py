"""`goldloop seed` and `goldloop ingest`: labelled examples and predictions, imported from files."""

from itertools import islice
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from bot.cli.context import QueueOption, opened
from bot.cli.printing import terminal_safe
from bot.files.tables import labelled_rows, read_rows
from bot.runtime.clock import utc_now
from bot.runtime.gc_tuning import collect_seldom
from core.errors import Invalid
from core.intake.ingest import record_predictions
from core.intake.predictions import NewPrediction, checked_prediction
from core.learning.data.seeds import checked_seeds, store_seeds
from core.storage.database import PATIENT

commands = typer.Typer()
out = Console()

BATCH = 1000
SHOWN_REJECTIONS = 20  # rejected rows that are explained; any more are only counted


@commands.command()
def seed(file: Path, queue: QueueOption) -> None:
    """Import labelled examples from a CSV, JSONL or Parquet file with the columns `text` and `label`.

    A random part joins the golden set; the rest is used for training. Importing a file again adds nothing.
    """
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        chosen = policy.queue(queue)
        seeds = checked_seeds(labelled_rows(file), chosen)
        task = progress.add_task("Storing", total=len(seeds))
        training = golden = repeated = 0
        for start in range(0, len(seeds), BATCH):  # in batches: on SQLite no click is stored while one is written
            with database.transaction(wait=PATIENT) as session:
                stored = store_seeds(session, seeds[start : start + BATCH], utc_now(), chosen)
            training, golden = training + stored.training, golden + stored.golden
            repeated += stored.repeated
            progress.advance(task, BATCH)
    out.print(f"{training} for training, {golden} golden, {repeated} already stored.")


@commands.command()
def ingest(file: Path, queue: QueueOption) -> None:
    """Import predictions from a CSV, JSONL or Parquet file and send the flagged ones to the reviewers.

    Importing a file again adds nothing. Exit code 2 if a row was rejected.
    """
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        collect_seldom()
        chosen = policy.queue(queue)
        task = progress.add_task("Reading", total=None)
        new = repeated = flagged = rejected = 0
        rows = read_rows(file)
        while batch := list(islice(rows, BATCH)):
            good: list[NewPrediction] = []
            for number, row in batch:
                try:
                    good.append(checked_prediction(_without_empty(row), chosen))
                except Invalid as problem:
                    rejected += 1
                    if rejected <= SHOWN_REJECTIONS:
                        out.print(f"[yellow]Row {number}:[/] {terminal_safe(str(problem))}")
            with database.transaction(wait=PATIENT) as session:
                stored = record_predictions(session, good, utc_now(), chosen)
            new, repeated, flagged = new + stored.new, repeated + stored.repeated, flagged + stored.flagged
            progress.update(task, advance=len(batch), description=f"{new + repeated:,} rows")
    out.print(f"{new} new, {repeated} already stored, {flagged} flagged for review, {rejected} rejected.")
    if rejected:
        raise typer.Exit(2)


def _without_empty(row: dict[str, object]) -> dict[str, object]:
    """The row without its empty cells: a CSV has a value in every column. Its confidence as a number, if it is text."""
    kept = {name: value for name, value in row.items() if value not in ("", None)}
    confidence = kept.get("confidence")
    if isinstance(confidence, str):
        try:
            kept["confidence"] = float(confidence)
        except ValueError:
            raise Invalid("confidence must be a number from 0 to 1.", field="confidence") from None
    return kept
