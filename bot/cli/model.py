"""`goldloop model …`: the card of a model, and its evidence as a file that can be verified anywhere."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.cli.context import ModelArgument, ModelQueueOption, model_meant, opened
from bot.cli.printing import terminal_safe
from bot.wording.evidence import evidence_sentence
from bot.wording.format import PLAIN
from bot.wording.model_card import model_card_sections
from bot.wording.shadow import agreement, disagreements, labels_in_shadow, shadow_state
from core.errors import Invalid, NotFound
from core.learning.lifecycle.evidence import CARD, HASHES, digest_of, evidence_files, zipped
from core.learning.lifecycle.evidence_check import check_evidence
from core.learning.lifecycle.model_card import model_card
from core.learning.lifecycle.shadow import predictions_apart, shadow_report, shadow_times
from core.storage.database import PATIENT

LARGEST = 1 << 30  # the most bytes of a file to verify

out = Console()
commands = typer.Typer(no_args_is_help=True, help="Show a model's card; export and verify its evidence.")


@commands.command()
def show(
    model: ModelArgument,
    queue: ModelQueueOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, without texts.")] = False,
) -> None:
    """Print the card of a model: how it was made, its training data, its evaluation and the decisions about it."""
    with opened() as (database, policy), database.reading(wait=PATIENT) as session:
        card = model_card(session, model_meant(session, policy, model, queue), policy)
    if as_json:
        typer.echo(json.dumps(card.as_dict(), indent=1, ensure_ascii=False))
        return
    for heading, lines in model_card_sections(card, PLAIN):
        _print(f"[bold]{terminal_safe(heading)}[/]")
        for line in lines:
            _print(f"  {terminal_safe(line)}")


@commands.command()
def shadow(
    model: ModelArgument,
    queue: ModelQueueOption = "",
    examples: Annotated[bool, typer.Option(help="Print each disagreement as a line of JSON, by external id.")] = False,
) -> None:
    """Print where a candidate in shadow agrees with the stored answers and where not; during the shadow, so far."""
    with opened() as (database, policy), database.reading(wait=PATIENT) as session:
        model_id = model_meant(session, policy, model, queue)
        report, apart = shadow_report(session, model_id), predictions_apart(session, model_id) if examples else []
        times = shadow_times(session, model_id)
    if report is None or times is None:
        raise NotFound(f"Model {model} was never in shadow.")
    if examples:
        for one in apart:
            typer.echo(json.dumps(vars(one), ensure_ascii=False))
        return
    for line in (
        shadow_state(times),
        agreement(report),
        *labels_in_shadow(report, PLAIN, len(report.labels)),
        *disagreements(report, PLAIN, len(report.disagreements)),
    ):
        _print(terminal_safe(line))


@commands.command()
def evidence(
    model: ModelArgument,
    queue: ModelQueueOption = "",
    file: Annotated[
        Path | None, typer.Option("--out", help="File to write; by default, a name in this folder.")
    ] = None,
) -> None:
    """Write a zip with the card, the scorecard, the manifest of the training snapshot, the decisions and their hashes.

    It holds no texts. Keep the printed digest apart from the file: `goldloop model verify FILE --digest …` compares it.
    """
    with opened() as (database, policy), database.reading(wait=PATIENT) as session:
        files = evidence_files(session, model_meant(session, policy, model, queue), policy)
    card = json.loads(files[CARD])
    target = file or Path(f"{card['queue']}-{card['name']}-evidence.zip")
    try:
        with target.open("xb") as written:
            written.write(zipped(files))
    except FileExistsError:
        raise Invalid(f"{target} exists already. Choose another name with --out.") from None
    except OSError as error:
        raise Invalid(f"{target} cannot be written: {error.strerror}.") from None
    _print(f"Written: {terminal_safe(str(target))}\nDigest: {digest_of(files[HASHES])}")


@commands.command()
def verify(
    file: Path, digest: Annotated[str | None, typer.Option(help="The digest printed when the file was written.")] = None
) -> None:
    """Verify an evidence file, without a database. Exit code 2 if anything in it was changed."""
    checked = check_evidence(_content(file), digest)
    for fault in checked.faults:
        _print(f"[red]{terminal_safe(evidence_sentence(fault, PLAIN))}[/]")
    if checked.model is None:
        raise typer.Exit(2)
    queue, name = map(terminal_safe, checked.model)
    _print(f"The evidence of {name} of {queue} is unchanged.\nDigest: {checked.digest}")
    if digest is None:
        _print("To rule out that the file was recreated, compare the digest with the one printed when it was written.")


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise Invalid(f"{file} is too large to be an evidence pack.")
        return file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}.") from None


def _print(words: str) -> None:
    out.print(words, highlight=False, soft_wrap=True)
