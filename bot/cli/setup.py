"""What an operator does before Goldloop runs, and when it ails: `manifest`, `init`, `doctor`, `retry-deliveries`."""

import json
import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.checks.finding import Outcome
from bot.cli.policy_template import Answers, labels_of, write_policy
from bot.cli.prompts import (
    asked,
    given_or_asked,
    read_id,
    read_ids,
    read_ids_or_none,
    read_labels,
    read_name,
    read_some_ids,
    read_zone,
)
from bot.runtime.clock import utc_now
from bot.runtime.open_database import open_database
from bot.runtime.settings import load_settings
from bot.slack.manifest import manifest, manifest_for
from core.delivery.backlog import draw_open_again, try_again
from core.errors import Invalid
from core.storage.database import PATIENT

setting_up = typer.Typer()


@setting_up.command("manifest")
def print_manifest(
    url: Annotated[str, typer.Option(help="your public https:// address; without it the app uses Socket Mode")] = "",
    groups: Annotated[bool, typer.Option("--groups", help="the policy names Slack user groups (S…)")] = False,
) -> None:
    """The Slack app as a manifest, to paste at "Create an app, from a manifest"."""
    typer.echo(json.dumps(manifest_for(url, groups) if url else manifest(groups), indent=4))


@setting_up.command()
def init(
    queue: Annotated[str, typer.Option(help="short name of the stream of work, e.g. support")] = "",
    title: Annotated[str, typer.Option(help="what people read, e.g. Support tickets")] = "",
    channel: Annotated[str, typer.Option(help="id of the reviewers' channel")] = "",
    leads_channel: Annotated[str, typer.Option(help="id of the leads' channel")] = "",
    lead: Annotated[list[str] | None, typer.Option(help="id of a lead (or user group); several times for more")] = None,
    reviewer: Annotated[list[str] | None, typer.Option(help="id of a reviewer; none: the channel's members")] = None,
    admin: Annotated[list[str] | None, typer.Option(help="id of an admin; none: leads may do what admins do")] = None,
    label: Annotated[list[str] | None, typer.Option(help="a label; may be given several times")] = None,
    labels_from: Annotated[
        Path | None, typer.Option(help="a data file (columns text, label) to take them from")
    ] = None,
    time_zone: Annotated[str, typer.Option(help="e.g. Europe/Berlin; says when a day begins")] = "",
    file: Annotated[
        Path | None, typer.Option(help="where to write; otherwise GOLDLOOP_POLICY or goldloop.toml")
    ] = None,
) -> None:
    """Write a commented goldloop.toml. Asks for what is not given as an option."""
    path = file or load_settings().policy
    if path.exists():  # before anybody answers questions for nothing; writing checks again
        raise Invalid(f"{path} is there already and was not touched. Edit it, or write elsewhere with --file.")
    if label and labels_from:
        raise Invalid("Give the labels by --label or by --labels-from, not by both.")
    taken = labels_of(labels_from) if labels_from else tuple(label or ())
    named = given_or_asked(queue, "Short name of this stream of work", "--queue", read_name, "support")
    answers = Answers(
        queue=named,
        title=given_or_asked(title, "Title that people read", "--title", str.strip, named.capitalize()),
        channel=given_or_asked(channel, "Id of the reviewers' channel (C…)", "--channel", read_id),
        leads_channel=given_or_asked(leads_channel, "Id of the leads' channel", "--leads-channel", read_id),
        leads=read_ids(lead)
        if lead
        else asked("Ids of the leads (people U… or user groups S…, with commas)", "--lead", read_some_ids),
        reviewers=_reviewers(reviewer, lead),
        labels=taken or asked("Labels, with commas", "--label or --labels-from", read_labels),
        time_zone=given_or_asked(time_zone, "Time zone", "--time-zone", read_zone, "UTC"),
        admins=read_ids(admin or []),
    )
    write_policy(path, answers)
    typer.echo(
        f"{path} is written: {len(answers.labels)} labels. "
        "Look it through, then run `goldloop migrate` and `goldloop doctor`."
    )


@setting_up.command()
def doctor(
    url: Annotated[str, typer.Option(help="your public https:// address: try it as Slack would")] = "",
) -> None:
    """Check everything that Goldloop needs; for each failure, what to do. Exit code 1 if something failed."""
    from bot.checks.doctor import examine, shown

    for noisy in ("slack_sdk", "httpx", "core.storage.database_errors"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)  # the table says it in better words
    findings = list(examine(load_settings(), utc_now, url))
    Console().print(shown(findings), highlight=False)
    if any(finding.outcome is Outcome.BAD for finding in findings):
        raise typer.Exit(1)


@setting_up.command()
def retry_deliveries(
    everything: Annotated[
        bool, typer.Option("--all", help="also draw every open card anew, as after a restore")
    ] = False,
) -> None:
    """Deliver again what was given up, after its reason is resolved. Safe to repeat."""
    url = load_settings().database_url
    with open_database(url) as database, database.transaction(wait=PATIENT) as session:
        count = try_again(session, utc_now())
        count += draw_open_again(session, utc_now()) if everything else 0
    typer.echo(f"{count} message{'' if count == 1 else 's'} will be tried again.")


def _reviewers(given: list[str] | None, leads_given: list[str] | None) -> tuple[str, ...]:
    """Nobody named is an answer, so a script that names its leads is not asked."""
    if given or leads_given:
        return read_ids(given or [])
    return asked(
        "Ids of the reviewers, with commas (empty: all members of the channel)", "--reviewer", read_ids_or_none, ""
    )
