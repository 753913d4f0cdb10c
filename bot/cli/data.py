"""`goldloop seed|ingest`: labelled data to start from, and predictions, from files."""

from itertools import islice
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from bot.cli.context import QueueOption, opened
from bot.cli.printing import inert
from bot.files.tables import labelled_rows, read_rows
from bot.runtime.clock import utc_now
from bot.runtime.gc_tuning import collect_seldom
from core.errors import Invalid
from core.intake.ingest import record_predictions
from core.intake.predictions import NewPrediction, checked_prediction
from core.learning.data.seeds import checked_seeds, store_seeds
from core.storage.database import PATIENT

data = typer.Typer()
out = Console()

BATCH = 1000
WORST = 20  # bad rows shown before the others are only counted


@data.command()
def seed(file: Path, queue: QueueOption) -> None:
    """Labelled data to start from (csv, jsonl, parquet; columns text and label). A random part becomes golden.
    Safe to repeat."""
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        chosen = policy.queue(queue)
        seeds = checked_seeds(labelled_rows(file), chosen)
        task = progress.add_task("Storing", total=len(seeds))
        training = golden = repeated = 0
        for start in range(0, len(seeds), BATCH):  # not all at once: on SQLite nobody's click is stored meanwhile
            with database.transaction(wait=PATIENT) as session:
                stored = store_seeds(session, seeds[start : start + BATCH], utc_now(), chosen)
            training, golden = training + stored.training, golden + stored.golden
            repeated += stored.repeated
            progress.advance(task, BATCH)
    out.print(f"{training} rows for training, {golden} golden ones, {repeated} were there already.")


@data.command()
def ingest(file: Path, queue: QueueOption) -> None:
    """Predictions from a file (csv, jsonl, parquet). What deserves a look is sent to the reviewers. Safe to repeat."""
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        collect_seldom()
        chosen = policy.queue(queue)
        task = progress.add_task("Reading", total=None)
        new = repeated = flagged = bad = 0
        rows = read_rows(file)
        while batch := list(islice(rows, BATCH)):
            good: list[NewPrediction] = []
            for number, row in batch:
                try:
                    good.append(checked_prediction(_without_empty(row), chosen))
                except Invalid as problem:
                    bad += 1
                    if bad <= WORST:
                        out.print(f"[yellow]row {number}:[/] {inert(str(problem))}")
            with database.transaction(wait=PATIENT) as session:
                stored = record_predictions(session, good, utc_now(), chosen)
            new, repeated, flagged = new + stored.new, repeated + stored.repeated, flagged + stored.flagged
            progress.update(task, advance=len(batch), description=f"{new + repeated:,} rows")
    out.print(f"{new} new predictions, {repeated} were there already, {flagged} flagged for review, {bad} left out.")
    if bad:
        raise typer.Exit(2)


def _without_empty(row: dict[str, object]) -> dict[str, object]:
    """A CSV has a value in every column; an empty one means that there is none. Numbers come as text."""
    kept = {name: value for name, value in row.items() if value not in ("", None)}
    confidence = kept.get("confidence")
    if isinstance(confidence, str):
        try:
            kept["confidence"] = float(confidence)
        except ValueError:
            raise Invalid("confidence must be a number from 0 to 1.", field="confidence") from None
    return kept
