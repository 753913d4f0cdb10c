"""`goldloop manifest`, `init`, `doctor` and `retry-deliveries`: setting Goldloop up, and finding what is wrong."""

import json
import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bot.checks.finding import Outcome
from bot.cli.policy_template import Answers, labels_of, write_policy
from bot.cli.prompts import (
    option_or_prompt,
    parse_id,
    parse_ids,
    parse_labels,
    parse_name,
    parse_optional_ids,
    parse_required_ids,
    parse_time_zone,
    prompt,
)
from bot.runtime.clock import utc_now
from bot.runtime.open_database import open_database
from bot.runtime.settings import load_settings
from bot.slack.manifest import manifest, manifest_for
from core.delivery.backlog import draw_open_again, try_again
from core.errors import Invalid
from core.storage.database import PATIENT

commands = typer.Typer()


@commands.command("manifest")
def print_manifest(
    url: Annotated[
        str, typer.Option(help="Your public https:// address; default: Socket Mode, which needs none.")
    ] = "",
    groups: Annotated[bool, typer.Option("--groups", help="Add the scope for user groups (S…) in the policy.")] = False,
) -> None:
    """Print the manifest to paste under "Create an app from a manifest" on Slack's site."""
    typer.echo(json.dumps(manifest_for(url, groups) if url else manifest(groups), indent=4))


@commands.command()
def init(
    queue: Annotated[str, typer.Option(help="Short name of the queue, e.g. support.")] = "",
    title: Annotated[str, typer.Option(help="Title that people see, e.g. Support tickets.")] = "",
    channel: Annotated[str, typer.Option(help="Id of the reviewers' channel.")] = "",
    leads_channel: Annotated[str, typer.Option(help="Id of the leads' channel.")] = "",
    lead: Annotated[list[str] | None, typer.Option(help="Id of a lead or a user group; repeat for several.")] = None,
    reviewer: Annotated[
        list[str] | None, typer.Option(help="Id of a reviewer; default: all members of the channel.")
    ] = None,
    admin: Annotated[
        list[str] | None, typer.Option(help="Id of an admin; default: leads have the admins' rights.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="A label; repeat for several.")] = None,
    labels_from: Annotated[
        Path | None, typer.Option(help="Data file with the columns text and label to take the labels from.")
    ] = None,
    time_zone: Annotated[
        str, typer.Option(help="Time zone in which a day begins, e.g. Europe/Berlin; default: UTC.")
    ] = "",
    file: Annotated[Path | None, typer.Option(help="File to write; default: GOLDLOOP_POLICY or goldloop.toml.")] = None,
) -> None:
    """Write a commented goldloop.toml. Prompts for every option that is missing."""
    path = file or load_settings().policy
    if path.exists():  # checked before the prompts; writing checks it again
        raise Invalid(f"{path} already exists and was not changed. Edit it, or write a different file with --file.")
    given_labels = _given_labels(label, labels_from)
    named = option_or_prompt(queue, "Short name of the queue", "--queue", parse_name, "support")
    answers = Answers(
        queue=named,
        title=option_or_prompt(title, "Title that people see", "--title", str.strip, named.capitalize()),
        channel=option_or_prompt(channel, "Id of the reviewers' channel (C…)", "--channel", parse_id),
        leads_channel=option_or_prompt(leads_channel, "Id of the leads' channel", "--leads-channel", parse_id),
        leads=_leads(lead),
        reviewers=_reviewers(reviewer, lead),
        labels=given_labels or prompt("Labels, comma-separated", "--label or --labels-from", parse_labels),
        time_zone=_time_zone(time_zone, lead),
        admins=parse_ids(admin or []),
    )
    write_policy(path, answers)
    typer.echo(
        f"Wrote {path} with {len(answers.labels)} labels. Review it, then run `goldloop migrate` and `goldloop doctor`."
    )


@commands.command()
def doctor(
    url: Annotated[str, typer.Option(help="Your public https:// address, to test it as Slack would call it.")] = "",
) -> None:
    """Check everything that Goldloop needs, and say how to fix what fails. Exit code 1 if a check failed."""
    from bot.checks.doctor import report, run_checks

    for noisy in ("slack_sdk", "httpx", "core.storage.database_errors"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)  # the report is clearer
    findings = list(run_checks(load_settings(), utc_now, url))
    Console().print(report(findings), highlight=False)
    if any(finding.outcome is Outcome.BAD for finding in findings):
        raise typer.Exit(1)


@commands.command()
def retry_deliveries(
    everything: Annotated[
        bool, typer.Option("--all", help="Also redraw every open card, as after restoring a backup.")
    ] = False,
) -> None:
    """Resend the messages that were given up, once the cause is fixed."""
    url = load_settings().database_url
    with open_database(url) as database, database.transaction(wait=PATIENT) as session:
        count = try_again(session, utc_now())
        count += draw_open_again(session, utc_now()) if everything else 0
    typer.echo(f"{count} message{'' if count == 1 else 's'} will be sent again.")


def _given_labels(labels: list[str] | None, file: Path | None) -> tuple[str, ...]:
    """The labels from the options; empty: neither option was used."""
    if labels and file:
        raise Invalid("Use either --label or --labels-from, not both.")
    return labels_of(file) if file else tuple(labels or ())


def _leads(given: list[str] | None) -> tuple[str, ...]:
    if given:
        return parse_ids(given)
    question = "Ids of the leads (people U… or user groups S…, comma-separated)"
    return prompt(question, "--lead", parse_required_ids)


def _reviewers(given: list[str] | None, leads_given: list[str] | None) -> tuple[str, ...]:
    """Reviewers are optional, so a script that names its leads is not prompted for them."""
    if given or leads_given:
        return parse_ids(given or [])
    question = "Ids of the reviewers, comma-separated (empty: all members of the channel)"
    return prompt(question, "--reviewer", parse_optional_ids, "")


def _time_zone(given: str, leads_given: list[str] | None) -> str:
    """The time zone is optional as well: a script that names its leads is not prompted for it."""
    if leads_given:
        return parse_time_zone(given or "UTC")
    return option_or_prompt(given, "Time zone", "--time-zone", parse_time_zone, "UTC")
