"""`goldloop seed` and `goldloop ingest`: labelled examples and predictions, imported from files."""

from collections import Counter
from itertools import islice
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from bot.cli.context import QueueOption, opened
from bot.cli.printing import terminal_safe
from bot.files.columns import columns_of, prediction_row
from bot.files.tables import header, labelled_rows, read_rows
from bot.runtime.clock import utc_now
from bot.runtime.gc_tuning import collect_seldom
from bot.wording.numbers import counted
from core.errors import Invalid
from core.intake.ingest import record_predictions
from core.intake.predictions import LabelsOutsidePolicy, NewPrediction, checked_prediction
from core.intake.unknown_labels import count_unknown_labels
from core.learning.data.seeds import NONE_STORED, checked_seeds, store_seeds
from core.policy import QueuePolicy
from core.storage.database import PATIENT

commands = typer.Typer()
out = Console()

BATCH = 1000
SHOWN_REJECTIONS = 20  # reasons that are shown, each with its first row; rows with others are only counted


@commands.command()
def seed(file: Path, queue: QueueOption) -> None:
    """Import labelled examples from a CSV, JSONL or Parquet file with the columns `text` and `label`.

    A random part joins the golden set; the rest is used for training. Importing a file again adds nothing.
    """
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        chosen = policy.queue(queue)
        examples = labelled_rows(file)
        _check_labels(Counter(label for _text, label in examples), chosen)
        seeds = checked_seeds(examples, chosen)
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

    Columns: `external_id`; `model_version`; `text`, `image_url` or both; the model's answer, either as `label` with
    `confidence`, or as a column `p:LABEL` for each label, or as `probabilities` (a JSON object in a cell). All other
    columns become fields that reviewers see next to the text; `fields` may also be a JSON object in a cell.

    Importing a file again adds nothing. Exit code 2 if a row was rejected.
    """
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        collect_seldom()
        chosen = policy.queue(queue)
        task = progress.add_task("Reading", total=None)
        new = repeated = flagged = 0
        rejected = Rejected()
        if names := header(file):
            _check_columns(file, names)
        rows = read_rows(file)
        while batch := list(islice(rows, BATCH)):
            good: list[NewPrediction] = []
            for number, row in batch:
                try:
                    good.append(checked_prediction(prediction_row(row), chosen))
                except Invalid as problem:
                    rejected.add(number, problem)
            with database.transaction(wait=PATIENT) as session:
                stored = record_predictions(session, good, utc_now(), chosen)
                count_unknown_labels(session, rejected.labels_of_batch(), utc_now(), chosen)
            new, repeated, flagged = new + stored.new, repeated + stored.repeated, flagged + stored.flagged
            progress.update(task, advance=len(batch), description=f"{new + repeated:,} rows")
    out.print(f"{new} new, {repeated} already stored, {flagged} flagged for review, {rejected.rows} rejected.")
    rejected.print_repeated()
    if rejected.rows:
        raise typer.Exit(2)


class Rejected:
    """Rejected rows by reason. The first row of each reason is printed at once, the others are counted. Labels outside
    the policy are counted by name, in all and since they were last asked for."""

    def __init__(self) -> None:
        self.rows = 0
        self._shown: Counter[str] = Counter()
        self._labels: Counter[str] = Counter()
        self._of_batch: Counter[str] = Counter()

    def add(self, number: int, problem: Invalid) -> None:
        self.rows += 1
        self._of_batch.update(problem.labels if isinstance(problem, LabelsOutsidePolicy) else ())
        reason = str(problem)
        if reason not in self._shown:
            if len(self._shown) == SHOWN_REJECTIONS:
                return
            out.print(f"[yellow]Row {number}:[/] {terminal_safe(reason)}")
        self._shown[reason] += 1

    def labels_of_batch(self) -> Counter[str]:
        batch, self._of_batch = self._of_batch, Counter()
        self._labels += batch
        return batch

    def print_repeated(self) -> None:
        if self._labels:
            out.print(f"Labels outside the policy: {terminal_safe(counted(self._labels))}.")
        for reason, count in self._shown.items():
            if count > 1:
                out.print(f"[yellow]{count:,} rows:[/] {terminal_safe(reason)}")


def _check_labels(labels: Counter[str], queue: QueuePolicy) -> None:
    """Raises Invalid with all labels outside the policy, before the rows are looked at one by one."""
    outside = Counter({label: count for label, count in labels.items() if label not in queue.label_named})
    if len(outside) > 1 or outside.total() > 1:
        words = f"Labels that {queue.name} does not have: {counted(outside)}."
        raise Invalid(f"{words} Add them to the policy, or correct the file. {NONE_STORED}", field="label")


def _check_columns(file: Path, names: tuple[str, ...]) -> None:
    try:
        columns_of(names)
    except Invalid as problem:
        raise Invalid(f"{file}: {problem} `goldloop ingest --help` lists the columns.", field=problem.field) from None
