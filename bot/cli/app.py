"""`goldloop …` in the terminal. Expected noes are sentences with exit code 2.

What only some commands need (Slack, the web, the demo) is imported by them, so that the others start quickly.
"""

import logging
import os
import sys
from contextlib import suppress
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from sqlalchemy.exc import DBAPIError

from bot.cli.context import opened
from bot.cli.erase import erasing
from bot.cli.setup import setting_up
from bot.cli.tokens import token
from bot.cli.webhooks import webhooks
from bot.files.tables import labelled_rows, read_rows
from bot.observability.logs import masked, set_up_logging
from bot.runtime.clock import utc_now
from bot.runtime.gc_tuning import collect_seldom
from bot.runtime.migrate import migrate as bring_up_to_date
from bot.runtime.settings import load_settings
from core.errors import Busy, Invalid, NotFound, Refusal
from core.intake.ingest import record_predictions
from core.intake.predictions import NewPrediction, checked_prediction
from core.learning.data.seeds import checked_seeds, store_seeds
from core.learning.lifecycle.cards import model_story
from core.learning.lifecycle.rollback import roll_back as bring_back
from core.learning.lifecycle.runs import request_run
from core.policy_sync import sync_queues
from core.queues import queue_named
from core.records.reviews import ReviewItem
from core.review.history import item_story
from core.storage.database import PATIENT
from core.vocabulary import OPERATOR, Trigger

app = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(erasing)
app.add_typer(setting_up)
app.add_typer(token, name="token")
app.add_typer(webhooks, name="webhooks")
out = Console()

QueueOption = Annotated[str, typer.Option("--queue", "-q", help="name of the queue in the policy file")]
LOOPBACK = "127.0.0.1"
UNSHOWN = "\N{REPLACEMENT CHARACTER}"  # for what must not act on a terminal
BATCH = 1000
WORST = 20  # bad rows shown before the others are only counted


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"goldloop {version('goldloop')}")
        raise typer.Exit


@app.callback()
def goldloop(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="which release this is")
    ] = False,
) -> None:
    """People correct a model in Slack; it learns."""


@app.command()
def run() -> None:
    """Slack's side and the worker in one process: all that a team on SQLite needs."""
    from bot.server import run

    run.run(load_settings(), web=True, work=True)


@app.command()
def web() -> None:
    """Only Slack's side; any number of processes."""
    from bot.server import run

    run.run(load_settings(), web=True, work=False)


@app.command()
def worker() -> None:
    """Only the worker: messages, training, schedules; any number of processes."""
    from bot.server import run

    run.run(load_settings(), web=False, work=True)


@app.command()
def migrate() -> None:
    """Bring tables and queues up to date."""
    with opened(make_tables=True) as (database, policy):
        bring_up_to_date(database)
        with database.transaction(wait=PATIENT) as session:
            sync_queues(session, policy, utc_now())
    out.print("The database is up to date.")


@app.command()
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


@app.command()
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
                        out.print(f"[yellow]row {number}:[/] {_inert(str(problem))}")
            with database.transaction(wait=PATIENT) as session:
                stored = record_predictions(session, good, utc_now(), chosen)
            new, repeated, flagged = new + stored.new, repeated + stored.repeated, flagged + stored.flagged
            progress.update(task, advance=len(batch), description=f"{new + repeated:,} rows")
    out.print(f"{new} new predictions, {repeated} were there already, {flagged} flagged for review, {bad} left out.")
    if bad:
        raise typer.Exit(2)


@app.command()
def retrain(queue: QueueOption) -> None:
    """Ask for a new candidate now; a worker makes it."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        row = queue_named(session, queue)
        run_id = request_run(session, row, Trigger.COMMAND, OPERATOR, utc_now(), policy.queue(queue))
    out.print(f"Training run {run_id} is on its way." if run_id else "A training run is waiting already.")


@app.command("roll-back")
def roll_back(queue: QueueOption, why: Annotated[str, typer.Option(help="kept with the decision")] = "") -> None:
    """Bring back the model that was live before the present one."""
    with opened() as (database, policy), database.transaction(wait=PATIENT) as session:
        name = bring_back(session, queue_named(session, queue), OPERATOR, why, utc_now(), policy.queue(queue))
    out.print(f"{name} is live again.")


@app.command()
def sandbox(
    config: Annotated[Path, typer.Argument(help="TOML file of people, channels and apps; see docs/sandbox.md")],
    port: Annotated[int, typer.Option(help="of the page and of the API")] = 7007,
    host: Annotated[str, typer.Option(help="address to listen on; this machine only unless told otherwise")] = LOOPBACK,
) -> None:
    """A Slack workspace on this machine, alone: develop any Slack app against it."""
    from bot.sandbox.__main__ import main as run_sandbox

    raise typer.Exit(run_sandbox(["--config", str(config), "--port", str(port), "--host", host]))


@app.command()
def demo(
    auto: Annotated[bool, typer.Option("--auto", help="simulated reviewers and a lead play it to the end")] = False,
    seed: Annotated[int, typer.Option(help="of everything that is drawn by lot")] = 1,
    spoil: Annotated[
        bool, typer.Option("--spoil", help="as --auto, with a spoilt candidate: see the gate refuse")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="your own text (csv, jsonl, parquet; columns text, label)")] = None,
    size: Annotated[int, typer.Option(min=60, max=20_000, help="with --data: rows to use")] = 600,
    cards: Annotated[int, typer.Option(min=10, max=500, help="with --auto: tickets to review")] = 80,
    port: Annotated[int, typer.Option(help="of the local workspace's page; 0: any free one")] = 7007,
) -> None:
    """The whole loop on this machine, with no account anywhere."""
    from bot.demo.play import Options, play

    logging.getLogger().setLevel(logging.WARNING)
    with suppress(KeyboardInterrupt):
        play(Options(auto or spoil, seed, spoil, data, size, cards, port), out)


explain = typer.Typer(no_args_is_help=True, help="How something was decided: by whom, when, on what grounds.")
app.add_typer(explain, name="explain")


@explain.command("item")
def explain_item(item_id: int) -> None:
    """One review item, from prediction to correction."""
    with opened() as (database, policy), database.reading() as session:
        if session.get(ReviewItem, item_id) is None:
            raise NotFound(f"There is no item {item_id}.")
        for line in item_story(session, item_id, None, policy):
            out.print(f"[dim]{line.at:%Y-%m-%d %H:%M:%S}[/]  {_inert(line.words)}", highlight=False, soft_wrap=True)


@explain.command("model")
def explain_model(model_id: int) -> None:
    """One model, from the request to train it to the decisions about it."""
    with opened() as (database, policy), database.reading() as session:
        for at, words in model_story(session, model_id, policy):
            out.print(f"[dim]{at:%Y-%m-%d %H:%M:%S}[/]  {_inert(words)}", highlight=False, soft_wrap=True)


def main() -> None:
    """The console script: refusals are said in a sentence, and what the database says; bugs are shown as they are."""
    set_up_logging(as_json=os.environ.get("GOLDLOOP_LOG") == "json")
    try:
        app()
    except Busy as busy:
        cause = f" The database says: {_of_database(busy.__cause__)}." if isinstance(busy.__cause__, DBAPIError) else ""
        _say_and_end(f"{busy}{cause} `goldloop doctor` says which database is meant and what is wrong.")
    except Refusal as refusal:
        _say_and_end(str(refusal))
    except DBAPIError as error:
        _say_and_end(f"The database says: {_of_database(error)}. `goldloop doctor` looks at it.")


def _of_database(error: DBAPIError) -> str:
    return masked(str(error.orig)).strip().splitlines()[0].rstrip(".")


def _say_and_end(sentence: str) -> None:
    Console(stderr=True).print(f"[red]{_inert(sentence)}[/]", highlight=False)
    sys.exit(2)


def _inert(words: str) -> str:
    """Untrusted words, for a terminal: no markup of ours, and nothing that moves its cursor or turns its direction."""
    return escape("".join(sign if sign.isprintable() or sign == "\n" else UNSHOWN for sign in words))


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
