"""`goldloop seed` and `goldloop ingest`: labelled examples and predictions, imported from files."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress

from bot.cli.context import GroupOption, QueueOption, opened
from bot.cli.printing import terminal_safe
from bot.files.ahead import Ahead
from bot.files.columns import columns_of, picture_cell, prediction_row
from bot.files.pictures import (
    INDEXES,
    Labelled,
    index_of,
    is_picture,
    labelled_pictures,
    lists_pictures,
    picture_files,
    read_labelled,
    read_pictures,
)
from bot.files.tables import header, labelled_rows, read_rows, row_groups
from bot.runtime.clock import utc_now
from bot.runtime.gc_tuning import collect_seldom
from bot.wording.numbers import counted
from core.errors import Invalid
from core.intake.ingest import record_predictions
from core.intake.live_pictures import predicted_pictures
from core.intake.predictions import (
    LabelsOutsidePolicy,
    NewPrediction,
    checked_prediction,
    picture_names,
    plain_prediction,
)
from core.intake.unknown_labels import count_unknown_labels
from core.learning.data.seeds import NONE_STORED, checked_picture_seeds, checked_seeds, store_seeds
from core.learning.lifecycle.serving import Serving
from core.pictures.decoded import Decoded
from core.policy import QueuePolicy
from core.storage.database import PATIENT

commands = typer.Typer()
out = Console()

BATCH = 1000
PICTURES = 50  # pictures per transaction
SHOWN_REJECTIONS = 20  # reasons that are shown, each with its first row; further ones are only counted


@commands.command()
def seed(file: Path, queue: QueueOption, group_by_folder: GroupOption = False) -> None:
    """Import labelled examples from a CSV, JSONL or Parquet file with the columns `text` and `label`, or pictures from
    a folder whose sub-folders are labels.

    Pictures can also come as a file with the columns `image` (a path relative to the file, or a JSON list of up to
    four) and `label`. A column `group` says whose an example is, such as a patient's.

    A random part joins the golden set; the rest is used for training. A group joins as a whole. Importing a file again
    adds nothing. Exit code 2 if a picture cannot be read.
    """
    if lists_pictures(file):
        _seed_pictures(file, queue, group_by_folder)
        return
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        chosen = policy.queue(queue)
        examples, groups = labelled_rows(file), row_groups(file)
        _check_labels(Counter(label for _text, label in examples), chosen)
        seeds = checked_seeds(examples, chosen, groups)
        task = progress.add_task("Storing", total=len(seeds))
        training = golden = repeated = 0
        for start in range(0, len(seeds), BATCH):  # in batches: on SQLite, no click is stored while one is written
            with database.transaction(wait=PATIENT) as session:
                stored = store_seeds(session, seeds[start : start + BATCH], utc_now(), chosen)
            training, golden = training + stored.training, golden + stored.golden
            repeated += stored.repeated
            progress.advance(task, BATCH)
    out.print(f"{training} for training, {golden} golden, {repeated} already stored.")


def _seed_pictures(path: Path, queue: str, group_by_folder: bool) -> None:
    rejected, training, golden, repeated = Rejected(), 0, 0, 0
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        chosen = policy.queue(queue)
        found = labelled_pictures(path, group_by_folder)
        _check_labels(Counter(one.label for one in found), chosen)
        task = progress.add_task("Storing", total=len(found))
        for start in range(0, len(found), PICTURES):
            read = _readable_examples(found[start : start + PICTURES], start, chosen, rejected)
            pairs = [(pictures, one.label) for pictures, one in read]
            seeds = checked_picture_seeds(pairs, chosen, [one.group for _pictures, one in read])
            pictures = [picture for seen, _label in pairs for picture in seen]
            with database.transaction(wait=PATIENT) as session:
                stored = store_seeds(session, seeds, utc_now(), chosen, pictures)
            training, golden = training + stored.training, golden + stored.golden
            repeated += stored.repeated
            progress.advance(task, PICTURES)
    out.print(f"{training} for training, {golden} golden, {repeated} already stored, {rejected.rows} rejected.")
    rejected.end()


def _readable_examples(
    found: Sequence[Labelled], start: int, queue: QueuePolicy, rejected: "Rejected"
) -> list[tuple[list[Decoded], Labelled]]:
    """The examples whose pictures can all be read. start: number of the examples before these."""
    pairs = []
    for number, (read, one) in enumerate(zip(read_labelled(found, queue), found, strict=True), start + 1):
        if isinstance(read, Invalid):
            rejected.add(number, read)
        else:
            pairs.append((read, one))
    return pairs


def _readable(
    found: Sequence[tuple[Path, str]], start: int, queue: QueuePolicy, rejected: "Rejected"
) -> list[tuple[Decoded, str]]:
    """The pictures that can be read, with their names. start: number of the files before these."""
    pairs = []
    for number, (read, (_path, name)) in enumerate(
        zip(read_pictures([path for path, _ in found], queue), found, strict=True), start + 1
    ):
        if isinstance(read, Invalid):
            rejected.add(number, read)
        else:
            pairs.append((read, name))
    return pairs


@commands.command()
def ingest(file: Path, queue: QueueOption) -> None:
    """Import predictions from a CSV, JSONL or Parquet file, or pictures, and send the flagged ones to the reviewers.

    Columns: `external_id`; `model_version`; `text`, `image` (path of a PNG or JPEG file, relative to this file, or a
    JSON list of up to four) or `image_url` (a web address, which cards show and Goldloop does not fetch); if wanted,
    `group` (whose it is, such as a patient's) and `link` (its address in your own system); the model's answer, either
    as `label` with `confidence`, or as a column `p:LABEL` for each label, or as `probabilities` (a JSON object in a
    cell). All other columns become fields that reviewers see next to the text; `fields` may also be a JSON object in a
    cell.

    If a folder has a predictions.csv, .jsonl or .parquet, that file is imported. Otherwise the live model predicts each
    picture of the folder, or the single picture; its path becomes the external id.

    Importing a file again adds nothing. Exit code 2 if a row was rejected, 1 if the file has no rows.
    """
    if file.is_dir() and (index := index_of(file)):
        file = index
    elif file.is_dir() or is_picture(file):
        _ingest_pictures(file, queue)
        return
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        collect_seldom()
        chosen = policy.queue(queue)
        task = progress.add_task("Reading", total=None)
        rejected, seen, new, repeated, flagged = Rejected(), 0, 0, 0, 0
        batches = Ahead(_batches(file, chosen, rejected))
        for batch in filter(None, batches):
            with database.transaction(wait=PATIENT) as session:
                stored = record_predictions(session, batch.valid, utc_now(), chosen, batch.pictures, batches.prepare)
                count_unknown_labels(session, batch.unknown_labels, utc_now(), chosen)
            seen, new = seen + batch.rows, new + stored.new
            repeated, flagged = repeated + stored.repeated, flagged + stored.flagged
            progress.update(task, advance=batch.rows, description=f"{new + repeated:,} rows")
    if not seen:
        typer.echo(_without_rows(file), err=True)
        raise typer.Exit(1)
    out.print(f"{new} new, {repeated} already stored, {flagged} flagged for review, {rejected.rows} rejected.")
    rejected.end()


@dataclass(frozen=True)
class _Batch:
    """Rows of a file that are stored in one transaction. rows: their number, rejected ones included."""

    rows: int
    valid: Sequence[NewPrediction]
    pictures: Sequence[Decoded]
    unknown_labels: Counter[str]


def _batches(file: Path, queue: QueuePolicy, rejected: "Rejected") -> Iterator[_Batch | None]:
    """Yield the rows of a file, checked; those that are not valid are added to `rejected`. None is yielded before a
    batch with pictures, so that they are not decoded ahead: that takes longer than storing rows."""
    names = header(file)
    if names:
        _check_columns(file, names)
    rows = read_rows(file)
    size = PICTURES if "image" in names else BATCH
    while batch := list(islice(rows, size)):
        if any("image" in row for _number, row in batch):
            yield None
        pictures = _named_pictures(file, [row for _number, row in batch], queue)
        valid = _valid_predictions(batch, queue, pictures, rejected)
        readable = [one for one in pictures.values() if isinstance(one, Decoded)]
        yield _Batch(len(batch), valid, readable, rejected.labels_of_batch())


def _valid_predictions(
    rows: Sequence[tuple[int, Mapping[str, Any]]],
    queue: QueuePolicy,
    pictures: Mapping[str, Decoded | Invalid],
    rejected: "Rejected",
) -> list[NewPrediction]:
    """The rows that can be stored; the others are added to `rejected`. rows: each with its number in the file."""
    valid = []
    for number, row in rows:
        try:
            valid.append(plain_prediction(row, queue) or checked_prediction(prediction_row(row), queue, pictures))
        except Invalid as problem:
            rejected.add(number, problem)
    return valid


def _named_pictures(file: Path, rows: Sequence[Mapping[str, Any]], queue: QueuePolicy) -> dict[str, Decoded | Invalid]:
    """The decoded pictures that rows name in `image`, by name; paths are relative to the file."""
    names = list(dict.fromkeys(name for row in rows if "image" in row for name in _names_in(row)))
    return dict(zip(names, read_pictures([file.parent / name for name in names], queue), strict=True))


def _names_in(row: Mapping[str, Any]) -> list[str]:
    """The picture files that a row names. None if its cell cannot be read: the check of the row reports that."""
    try:
        return picture_names(picture_cell(row.get("image")))
    except Invalid:
        return []


def _ingest_pictures(path: Path, queue: str) -> None:
    rejected, new, repeated, flagged = Rejected(), 0, 0, 0
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        chosen, files = policy.queue(queue), picture_files(path)
        live = Serving(database).live(chosen)
        if live is None:
            raise Invalid(f"No model of {queue} is live. Put the pictures' predictions beside them in {INDEXES[0]}.")
        folder = path if path.is_dir() else path.parent
        task = progress.add_task("Reading", total=len(files))
        for start in range(0, len(files), PICTURES):
            part = [(file, file.relative_to(folder).as_posix()) for file in files[start : start + PICTURES]]
            pairs = _readable(part, start, chosen, rejected)
            rows = predicted_pictures(pairs, live, chosen)
            with database.transaction(wait=PATIENT) as session:
                stored = record_predictions(session, rows, utc_now(), chosen, [picture for picture, _name in pairs])
            new, repeated, flagged = new + stored.new, repeated + stored.repeated, flagged + stored.flagged
            progress.advance(task, PICTURES)
    out.print(f"{new} new, {repeated} already stored, {flagged} flagged for review, {rejected.rows} rejected.")
    rejected.end()


def _without_rows(file: Path) -> str:
    columns = "a first line with the columns, and then " if file.suffix.lower() == ".csv" else ""
    missing = f"there are no rows: it needs {columns}a row for each prediction"
    return f"{file}: {missing}. Nothing was stored. `goldloop ingest --help` lists the columns."


class Rejected:
    """Rejected rows by reason. The first row of each reason is printed at once, the others are counted. Labels outside
    the policy are counted by name, for the whole file and for the present batch."""

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
        """Labels outside the policy since the last call."""
        batch, self._of_batch = self._of_batch, Counter()
        self._labels += batch
        return batch

    def end(self) -> None:
        """Print the counts, and exit with code 2 if a row was rejected."""
        self._print_repeated()
        if self.rows:
            raise typer.Exit(2)

    def _print_repeated(self) -> None:
        if self._labels:
            out.print(f"Labels outside the policy: {terminal_safe(counted(self._labels))}.")
        for reason, count in self._shown.items():
            if count > 1:
                out.print(f"[yellow]{count:,} rows:[/] {terminal_safe(reason)}")


def _check_labels(labels: Counter[str], queue: QueuePolicy) -> None:
    """Raises Invalid with all labels outside the policy, before the rows are checked one by one."""
    outside = Counter({label: count for label, count in labels.items() if label not in queue.label_named})
    if len(outside) > 1 or outside.total() > 1:
        words = f"Labels that {queue.name} does not have: {counted(outside)}."
        raise Invalid(f"{words} Add them to the policy, or correct the file. {NONE_STORED}", field="label")


def _check_columns(file: Path, names: tuple[str, ...]) -> None:
    try:
        columns_of(names)
    except Invalid as problem:
        raise Invalid(f"{file}: {problem} `goldloop ingest --help` lists the columns.", field=problem.field) from None
