"""`goldloop discover …`: ask the live model what it is most confused about in unlabelled texts."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bot.cli.context import opened, queue_meant
from bot.cli.printing import terminal_safe
from bot.runtime.clock import utc_now
from bot.runtime.processes import is_gone, this_process
from bot.runtime.settings import load_settings
from bot.wording.format import PLAIN
from bot.wording.scans import ABOVE_CLUSTERS, cluster_lines, progress_words, scan_state, scan_title, unread_words
from core import jobs
from core.discovery.cards import ScanCard, newest_scans, scan_card, time_left
from core.discovery.scans import SCAN, Wanted, cancel_scan, request_scan, scan_key
from core.discovery.sources import Columns
from core.errors import Invalid, Refusal
from core.jobs import Claim, LostLease, WorkFailed
from core.policy import Policy, QueuePolicy
from core.storage.database import PATIENT, Database
from core.vocabulary import OPERATOR, ScanState

commands = typer.Typer()
out = Console()

STATUS, CANCEL = "status", "cancel"  # used in place of a source; a file of that name is given as ./status
FAILED = 1  # exit code of a scan that failed


@commands.command()
def discover(
    source: Annotated[
        str,
        typer.Argument(
            help="File, folder or pattern of Parquet, JSONL or CSV files (or .gz of these), on this machine or at "
            "s3://, gs:// or https://. Or: status, cancel."
        ),
    ],
    scan: Annotated[int, typer.Argument(help="After cancel: id of the scan.")] = 0,
    queue: Annotated[str, typer.Option("--queue", "-q", help="Name of the queue in the policy file.")] = "",
    text: Annotated[str, typer.Option(help="Column with the text.")] = "",
    id_column: Annotated[
        str, typer.Option("--id", help="Column with an id for each text; default: its position in the source.")
    ] = "",
    label: Annotated[str, typer.Option(help="Look for texts between this label and another label.")] = "",
    foreign: Annotated[
        bool, typer.Option("--foreign", help="Look for texts of another kind than the queue's, such as new topics.")
    ] = False,
    items: Annotated[
        int, typer.Option(min=0, max=1000, help="Number of texts to keep for review; default: the policy's.")
    ] = 0,
    processes: Annotated[
        int, typer.Option(min=0, max=256, help="Processes on this machine; default: the policy's.")
    ] = 0,
    cluster: Annotated[
        str,
        typer.Option(help="Address of a Dask scheduler, such as tls://scheduler:8786; local: start a cluster here."),
    ] = "",
) -> None:
    """Find the unlabelled texts that the live model is most confused about, and have them reviewed.

    Reviewers get a few of them a day, as the policy allows. Texts that the queue already has and texts that were erased
    are left out. If the command is interrupted, a worker continues the scan, or you run the same command again.

    `goldloop discover status` lists a queue's newest scans; `goldloop discover cancel ID` ends one.
    """
    if source == CANCEL:
        _cancel(scan)
        return
    with opened() as (database, policy):
        chosen = queue_meant(policy, queue)
        if source == STATUS:
            _status(database, policy, chosen.name)
            return
        if not text:
            raise Invalid("Give --text, the name of the column with the text.")
        wanted = Wanted(
            source, Columns(text, id_column or None), label or None, foreign, items or None, processes or None
        )
        scan_id, claimed = _requested(database, chosen, wanted)
        _drive(database, policy, claimed, cluster)
        with database.reading(wait=PATIENT) as session:
            card = scan_card(session, scan_id, policy)
    _show(card)
    if card.state is ScanState.FAILED:
        raise typer.Exit(FAILED)


def _requested(database: Database, queue: QueuePolicy, wanted: Wanted) -> tuple[int, Claim]:
    """The scan's id, and the claim of this process on its job. Raises Refusal if another process is working on it."""
    with database.transaction(wait=PATIENT) as session:
        scan_id = request_scan(session, queue, wanted, OPERATOR, utc_now())
        claimed = jobs.take_over(session, SCAN, scan_key(scan_id), this_process(), utc_now(), is_gone)
    if claimed is None:
        raise Refusal(f"Another process is working on scan {scan_id}. See its progress with: goldloop discover status")
    return scan_id, claimed


def _cancel(scan_id: int) -> None:
    if not scan_id:
        raise Invalid("Give the id of the scan: goldloop discover cancel 3")
    with opened() as (database, _policy), database.transaction(wait=PATIENT) as session:
        cancel_scan(session, scan_id, utc_now())
    out.print(f"Scan {scan_id} is cancelled.")


def _status(database: Database, policy: Policy, queue: str) -> None:
    with database.reading(wait=PATIENT) as session:
        cards = newest_scans(session, policy, queue)
    if not cards:
        out.print(f"No scans of {queue} yet.")
    for card in cards:
        out.print(terminal_safe(f"{_title(card)}: {scan_state(card, PLAIN)}"), soft_wrap=True)


def _title(card: ScanCard) -> str:
    """The scan's title, with a capital. An address is shown as it is."""
    title = scan_title(card, PLAIN)
    return title[0].upper() + title[1:]


def _drive(database: Database, policy: Policy, claimed: Claim, cluster: str) -> None:
    """Run the scan in this process. If Ctrl-C or an error ends it, a worker may continue it."""
    from bot.worker.engines import chosen_engine
    from bot.worker.executors.threaded import execute_in_thread
    from bot.worker.job_lease import renewed
    from core.discovery.driving import Progress as Read
    from core.discovery.running import run_scan

    columns = BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    try:
        with renewed(database, utc_now, claimed), Progress(*columns, console=out, transient=True) as progress:
            task = progress.add_task("Listing the source", total=None)

            def hear(read: Read) -> None:
                share = read.done / read.total if read.total else 0.0
                left = time_left(read.done, read.total, read.seconds)
                words = progress_words(share, read.rows, read.seconds, left)
                progress.update(task, total=read.total or None, completed=read.done, description=words)

            engine = chosen_engine(load_settings(), cluster=cluster)
            run_scan(database, claimed, utc_now, policy, engine, execute_in_thread, hear=hear)
    except LostLease:
        raise Refusal(
            "Another process has taken over this scan. See its progress with: goldloop discover status"
        ) from None
    except BaseException as error:
        with database.transaction(wait=PATIENT) as session:
            jobs.release(session, claimed, utc_now())
        if isinstance(error, WorkFailed):
            raise Refusal(f"The scan was interrupted: {error}. Run the command again to continue it.") from None
        raise


def _show(card: ScanCard) -> None:
    out.print(terminal_safe(f"{_title(card)}, with {card.model}:"), soft_wrap=True)
    out.print(terminal_safe(scan_state(card, PLAIN)), highlight=False, soft_wrap=True)
    picture = cluster_lines(card.clusters)
    for line in (*unread_words(card, PLAIN), *([ABOVE_CLUSTERS] if picture else []), *picture):
        out.print(terminal_safe(line), highlight=False, soft_wrap=True)
    if card.digest:
        out.print(f"Digest of the top-ranked texts: {card.digest[:12]}", highlight=False)
