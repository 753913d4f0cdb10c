"""`goldloop learners`: the learners that are installed, compared on a queue's own training rows."""

from collections.abc import Mapping, Sequence

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bot.cli.context import QueueOption, opened
from bot.cli.printing import terminal_safe
from bot.wording.format import PLAIN
from bot.wording.numbers import count, percent, signed
from bot.wording.runs import run_step
from bot.worker.executors.local import LocalExecutor
from core.errors import Invalid
from core.jobs import WorkFailed
from core.learning.data.inputs import Example
from core.learning.learners.own_encoder import with_own_encoder
from core.learning.learners.registry import learner_names
from core.learning.lifecycle.learner_comparison import (
    Comparison,
    CrossValidated,
    comparable_rows,
    compare_learners,
    cross_validate,
    recommended,
)
from core.queues import queue_named
from core.storage.database import LONG
from core.vocabulary import Coded

commands = typer.Typer(no_args_is_help=True, help="Compare the learners that are installed.")
out = Console()
SEED = 0  # the same folds each time, so that two comparisons differ only by their rows


@commands.command()
def compare(queue: QueueOption) -> None:
    """Cross-validate each learner on the queue's training rows, and recommend one.

    Golden examples take no part. Nothing is stored; this takes as long as five training runs for each learner.
    """
    with opened() as (database, policy):
        chosen = policy.queue(queue)
        with database.reading(wait=LONG) as session:
            rows, shares = comparable_rows(session, queue_named(session, queue).id, chosen)
    examples = [row.example for row in rows]
    installed = with_own_encoder(chosen)
    tried = _tried(learner_names(installed), installed, examples)
    if not tried:
        raise Invalid(f"No learner can learn from the {count(len(rows), 'training row')} of {queue}.")
    _show(compare_learners(tried, shares, [one.input.group for one in examples]), len(rows), chosen.retraining.learner)


def _tried(names: Sequence[str], installed: Mapping[str, str], examples: Sequence[Example]) -> list[CrossValidated]:
    """The results of the learners. A learner that lacks a package, or that cannot learn from the rows, is left out, and
    its sentence is printed."""
    tried = []
    for name in names:
        try:
            tried.append(_cross_validated(name, installed, examples))
        except (Invalid, WorkFailed) as problem:
            out.print(terminal_safe(f"{name} is left out. {problem}"), highlight=False, soft_wrap=True)
    return tried


def _cross_validated(name: str, installed: Mapping[str, str], examples: Sequence[Example]) -> CrossValidated:
    """Cross-validate a learner in a process of its own, and show the present step."""
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task(name)

        def report(step: Coded) -> None:
            progress.update(task, description=f"{name}: {run_step(step, PLAIN)}")

        return LocalExecutor()(cross_validate, name, installed, list(examples), SEED, report=report)


def _show(comparisons: Sequence[Comparison], rows: int, current: str) -> None:
    table = Table("learner", "accuracy", "compared with text", "calibration error", "errors caught", "time", "memory")
    for one in comparisons:
        gain = f"{signed(one.gain.estimate)} ({signed(one.gain.low)} to {signed(one.gain.high)})" if one.gain else ""
        table.add_row(
            one.learner, percent(one.accuracy), gain, f"{one.calibration_error:.3f}", percent(one.caught),
            f"{one.seconds:.0f} s", f"{one.megabytes:.0f} MB",
        )  # fmt: skip
    out.print(table)
    out.print(
        f"On {count(rows, 'training row')}, each predicted by a model that was fitted without it. Errors caught: the "
        "share found by reviewing the fifth of the rows of which the learner is least sure.",
        soft_wrap=True,
    )
    best = recommended(comparisons).learner
    advice = "which is in use." if best == current else f'instead of {current}: set retraining.learner = "{best}".'
    out.print(f"Recommended: {best}, {advice}", highlight=False, soft_wrap=True)
