"""`goldloop golden`: show the golden set and change it by hand."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.cli.context import GroupOption, QueueOption, opened
from bot.cli.printing import terminal_safe
from bot.files.pictures import labelled_pictures, lists_pictures, read_labelled
from bot.files.tables import labelled_rows, row_groups
from bot.runtime.clock import utc_now
from bot.wording.format import PLAIN
from bot.wording.golden import AGE_BANDS, golden_change, origins, past_error, power, suspect
from bot.wording.numbers import count
from core.errors import Invalid
from core.learning.data.golden_changes import relabel_golden, retire_golden
from core.learning.data.golden_import import Imported, add_golden, import_golden
from core.learning.data.pins import USUAL_REGRESSIONS, PastError, past_errors, pin, unpin
from core.learning.data.seeds import Seed, checked_picture_seeds, checked_seeds
from core.learning.lifecycle.golden_summary import GoldenSummary, golden_summary
from core.learning.lifecycle.label_suspects import listed_suspicions
from core.pictures.decoded import Decoded
from core.policy import QueuePolicy
from core.queues import queue_named
from core.records.learning import MOST_PINS
from core.storage.database import PATIENT

commands = typer.Typer(no_args_is_help=True, help="Show and change the golden set, which tests models.")
out = Console()

BATCH = 1000
PICTURES = 50  # pictures per transaction
SHORT = 12  # digits of a version to show

Batch = tuple[Sequence[Seed], Sequence[Decoded]]
ByOption = Annotated[str, typer.Option("--by", help="Slack id of the lead who decided it.")]
GoldenId = Annotated[int, typer.Argument(help="Id of the golden example, as reports show it.")]
WhyOption = Annotated[str, typer.Option("--why", help="Reason, kept with the change.")]


@commands.command("import")
def import_(file: Path, queue: QueueOption, group_by_folder: GroupOption = False) -> None:
    """Import a test set from a CSV, JSONL or Parquet file with the columns `text` and `label`, or pictures from a
    folder whose sub-folders are labels.

    Pictures can also come as a file with the columns `image` (a path relative to the file, or a JSON list of up to
    four) and `label`. A column `group` says whose an example is, such as a patient's.

    Examples that are used for training are left out. Importing a file again adds nothing.
    """
    with opened() as (database, policy), Progress(console=out, transient=True) as progress:
        chosen, total = policy.queue(queue), Imported(0, 0, 0, 0)
        has_pictures = lists_pictures(file)
        batches = _picture_batches(file, chosen, group_by_folder) if has_pictures else _text_batches(file, chosen)
        task = progress.add_task("Storing", total=None)
        for examples, pictures in batches:  # in batches: on SQLite, no click is stored while one is written
            with database.transaction(wait=PATIENT) as session:
                total = total.plus(import_golden(session, examples, utc_now(), chosen, pictures))
            progress.advance(task, len(examples))
    out.print(
        f"{total.new} golden, {total.repeated} already golden, {total.training} left out because they are used for "
        f"training, {total.erased} left out because they were erased.",
        soft_wrap=True,
    )


def _text_batches(file: Path, queue: QueuePolicy) -> Iterator[Batch]:
    examples = checked_seeds(labelled_rows(file), queue, row_groups(file))
    for start in range(0, len(examples), BATCH):
        yield examples[start : start + BATCH], ()


def _picture_batches(path: Path, queue: QueuePolicy, group_by_folder: bool) -> Iterator[Batch]:
    """Yield the examples in batches. Raises Invalid, naming the file, if a picture cannot be read: without it, this
    would be another test set."""
    found = labelled_pictures(path, group_by_folder)
    for start in range(0, len(found), PICTURES):
        part = found[start : start + PICTURES]
        pictures = [_readable(read) for read in read_labelled(part, queue)]
        labels, groups = [one.label for one in part], [one.group for one in part]
        seeds = checked_picture_seeds(zip(pictures, labels, strict=True), queue, groups)
        yield seeds, [picture for own in pictures for picture in own]


def _readable(read: list[Decoded] | Invalid) -> list[Decoded]:
    if isinstance(read, Invalid):
        raise read
    return read


@commands.command()
def add(text: str, label: str, queue: QueueOption, by: ByOption, why: WhyOption) -> None:
    """Add one example. It counts with the past errors, because it was chosen, not drawn at random."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        golden_id = add_golden(session, text, label, by, why, utc_now(), policy.queue(queue))
    out.print(f"Golden example {golden_id} was added.")


@commands.command()
def relabel(golden_id: GoldenId, label: str, queue: QueueOption, by: ByOption, why: WhyOption) -> None:
    """Give an example another label. It counts from the next candidate on."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        former = relabel_golden(session, golden_id, label, by, why, utc_now(), policy.queue(queue))
    out.print(terminal_safe(f"Golden example {golden_id} is {label} now; it was {former}."), highlight=False)


@commands.command()
def retire(golden_id: GoldenId, queue: QueueOption, by: ByOption, why: WhyOption) -> None:
    """Retire an example: it is no longer used for tests, and not for training."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        retire_golden(session, golden_id, by, why, utc_now(), policy.queue(queue))
    out.print(f"Golden example {golden_id} is retired.")


@commands.command("pin")
def pin_example(golden_id: GoldenId, queue: QueueOption, by: ByOption) -> None:
    """Pin a past error: the gate then refuses every candidate that gets it wrong again."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        pinned = pin(session, golden_id, by, utc_now(), policy.queue(queue))
    low, high = (round(share * 100) for share in USUAL_REGRESSIONS)
    typer.echo(f"Golden example {golden_id} is pinned ({pinned} of {MOST_PINS}).")
    typer.echo(
        f"Any retraining gets {low} to {high} of 100 past errors wrong again, so each pin alone makes the gate refuse "
        f"about {low} to {high} of 100 candidates, better ones too."
    )


@commands.command("unpin")
def unpin_example(golden_id: GoldenId, queue: QueueOption, by: ByOption) -> None:
    """Unpin a past error, so that it counts like any other."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        left = unpin(session, golden_id, by, policy.queue(queue))
    typer.echo(f"Golden example {golden_id} is not pinned. {count(left, 'past error')} pinned.")


@commands.command()
def show(
    queue: QueueOption,
    errors: Annotated[
        bool, typer.Option("--past-errors", help="List the past errors with their ids, as `golden pin` takes them.")
    ] = False,
) -> None:
    """Show the golden set: version, origins, balance by label and age, power, pins and recent changes."""
    with opened() as (database, policy), database.reading(wait=PATIENT) as session:
        summary = golden_summary(session, policy.queue(queue), utc_now())
        listed = past_errors(session, policy.queue(queue), pinned=not errors)
    if errors:
        _print_past_errors(listed)
        return
    for line in _lines(summary):
        out.print(terminal_safe(line), highlight=False, soft_wrap=True)
    out.print(_balance(summary))
    out.print(f"{count(len(listed), 'past error')} pinned. `--past-errors` lists all past errors with their ids.")
    _print_past_errors(listed)
    for version in summary.versions:
        words = f"{version.model} was measured on {version.version[:SHORT]}, {version.at:%Y-%m-%d}."
        out.print(terminal_safe(words), highlight=False)
    for change in summary.changes:
        words = f"{change.at:%Y-%m-%d}  {golden_change(change, PLAIN)}"
        out.print(terminal_safe(words), highlight=False, soft_wrap=True)


@commands.command()
def suspects(queue: QueueOption) -> None:
    """List stored labels that are probably wrong, golden ones first. Reviewers are asked about them, a few a day."""
    with opened() as (database, policy), database.reading(wait=PATIENT) as session:
        row, rules = queue_named(session, queue), policy.queue(queue)
        listed = listed_suspicions(session, row.id)
    for one in listed:
        out.print(terminal_safe(suspect(one, PLAIN)), highlight=False, soft_wrap=True)
    budget = rules.golden.second_looks
    out.print(f"{count(len(listed), 'label')} on the list. Reviewers are asked about {budget} a day.", soft_wrap=True)


def _print_past_errors(listed: Sequence[PastError]) -> None:
    for one in listed:
        out.print(terminal_safe(past_error(one, PLAIN)), highlight=False, soft_wrap=True)


def _lines(summary: GoldenSummary) -> list[str]:
    stands_for = f" ({origins(summary.origins)})" if summary.random else ""
    ages = ", ".join(f"{number} {band}" for number, band in zip(summary.ages, AGE_BANDS, strict=True) if number)
    return [
        f"{summary.queue_title}: golden set {summary.version[:SHORT]}",
        f"Random examples: {summary.random}{stands_for}",
        f"Past errors: {summary.past_errors}; used for training now: {summary.graduated}; retired: {summary.retired}",
        f"Age: {ages or 'no examples'}",
        power(summary),
    ]


def _balance(summary: GoldenSummary) -> Table:
    table = Table("label", "random", "past errors", "median age")
    for one in summary.labels:
        age = "–" if one.median_days is None else f"{one.median_days:.0f} days"
        table.add_row(terminal_safe(one.label), str(one.random), str(one.past_errors), age)
    return table
