"""`goldloop manifest`: what a new operator needs before Goldloop runs. The way is docs/slack.md."""

import json
from typing import Annotated

import typer

from bot.slack.manifest import manifest, manifest_for

setting_up = typer.Typer()


@setting_up.command("manifest")
def print_manifest(
    url: Annotated[str, typer.Option(help="your public https:// address; without it the app uses Socket Mode")] = "",
) -> None:
    """The Slack app as a manifest, to paste at "Create an app, from a manifest"."""
    typer.echo(json.dumps(manifest_for(url) if url else manifest(), indent=4))
