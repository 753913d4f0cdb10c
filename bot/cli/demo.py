"""`goldloop demo|sandbox`: the whole loop, or only a Slack workspace, on this machine."""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

playing = typer.Typer()
out = Console()

LOOPBACK = "127.0.0.1"


@playing.command()
def sandbox(
    config: Annotated[Path, typer.Argument(help="TOML file of people, channels and apps; see docs/sandbox.md")],
    port: Annotated[int, typer.Option(help="of the page and of the API")] = 7007,
    host: Annotated[str, typer.Option(help="address to listen on; this machine only unless told otherwise")] = LOOPBACK,
) -> None:
    """A Slack workspace on this machine, alone: develop any Slack app against it."""
    from bot.sandbox.__main__ import main as run_sandbox

    raise typer.Exit(run_sandbox(["--config", str(config), "--port", str(port), "--host", host]))


@playing.command()
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
