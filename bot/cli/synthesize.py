"""`goldloop synthesize`: have a language model write texts for a weak label."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from bot.cli.context import QueueOption, opened
from bot.cli.printing import terminal_safe
from bot.runtime.clock import utc_now
from bot.runtime.processes import is_gone, this_process
from bot.runtime.settings import load_settings
from bot.wording.format import PLAIN
from bot.wording.synthesis import batch_state, batch_title, guard_words, plan_words, spent_words
from core import jobs
from core.errors import Invalid, Refusal
from core.jobs import Claim, LostLease, WorkFailed
from core.policy import Policy
from core.storage.database import PATIENT, Database
from core.synthesis.batches import SYNTHESIS, batch_key
from core.synthesis.cards import BatchCard, batch_card
from core.synthesis.requests import Wanted, plan_batch, request_batch
from core.vocabulary import OPERATOR, SyntheticState

commands = typer.Typer()
out = Console()

FAILED = 1  # exit code of a batch that failed or was refused


@commands.command()
def synthesize(
    queue: QueueOption,
    label: Annotated[str, typer.Option(help="Label that the texts are for.")],
    mistaken_for: Annotated[str, typer.Option(help="Label that the model gives such texts instead.")] = "",
    target: Annotated[str, typer.Option(help="What is wanted, such as “refund requests in French”.")] = "",
    language: Annotated[str, typer.Option(help="Two letters, such as fr; default: the queue's own language.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before texts are sent.")] = False,
) -> None:
    """Have a language model write texts for a weak label; people decide whether they train.

    A few corrected texts are sent to it, masked: never golden ones, never erased ones. Guards leave out what is
    malformed, copied or leaked, then reviewers are asked about a sample. The batch trains if they confirm 90%.

    Off by default. Look for real texts first: `goldloop discover SOURCE --label LABEL` helps a weak label more.
    """
    wanted = Wanted(label, mistaken_for or None, target.strip(), language)
    if target and not language:
        raise Invalid("Give --language with --target, so that the guards know the words. For English: --language en")
    with opened() as (database, policy):
        chosen = policy.queue(queue)
        with database.reading(wait=PATIENT) as session:
            plan = plan_batch(session, chosen, wanted)
        for line in plan_words(plan, chosen.synthetic.address, chosen.synthetic.model, PLAIN):
            _print(line)
        if not yes:
            typer.confirm("Send them?", abort=True)
        with database.transaction(wait=PATIENT) as session:
            batch_id = request_batch(session, chosen, wanted, OPERATOR, utc_now())
            claimed = jobs.take_over(session, SYNTHESIS, batch_key(batch_id), this_process(), utc_now(), is_gone)
        if claimed is None:
            raise Refusal(f"Batch {batch_id} is worked on by another process. See: goldloop synthetic status")
        _drive(database, policy, claimed)
        with database.reading(wait=PATIENT) as session:
            card = batch_card(session, batch_id, policy)
    show_batch(card)
    if card.state in (SyntheticState.FAILED, SyntheticState.REFUSED):
        raise typer.Exit(FAILED)


def show_batch(card: BatchCard) -> None:
    title = batch_title(card, PLAIN)
    _print(f"{title[0].upper()}{title[1:]}: {batch_state(card, PLAIN)}")
    if card.counts:
        _print(guard_words(card.counts))
    _print(spent_words(card, PLAIN))


def _print(line: str) -> None:
    out.print(terminal_safe(line), highlight=False, soft_wrap=True)


def _drive(database: Database, policy: Policy, claimed: Claim) -> None:
    """Write the batch in this process. If Ctrl-C or an error ends it, a worker may continue it."""
    from bot.llm import writer
    from bot.worker.job_lease import renewed
    from core.synthesis.writing import write_batch

    columns = BarColumn(), TextColumn("{task.description}")
    try:
        with renewed(database, utc_now, claimed), Progress(*columns, console=out, transient=True) as progress:
            task = progress.add_task("Asking the language model", total=None)

            def hear(made: int, planned: int) -> None:
                progress.update(task, total=planned, completed=made, description=f"Call {made} of {planned}")

            write_batch(database, claimed, utc_now, policy, writer(load_settings().llm_key), hear=hear)
    except LostLease:
        raise Refusal("Another process has taken this batch over. See: goldloop synthetic status") from None
    except BaseException as error:
        with database.transaction(wait=PATIENT) as session:
            jobs.release(session, claimed, utc_now())
        if isinstance(error, WorkFailed):
            raise Refusal(f"The batch was put off: {error}. Give the command again to go on.") from None
        raise
