"""`goldloop demo` and `goldloop sandbox`: the whole loop, or only a Slack workspace, on this machine."""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from core.errors import Invalid

commands = typer.Typer()
out = Console()

QUEUES = ("support", "scans")
LOOPBACK = "127.0.0.1"


@commands.command()
def sandbox(
    config: Annotated[
        Path, typer.Argument(help="TOML file with people, channels and apps; see `goldloop docs sandbox`.")
    ],
    port: Annotated[int, typer.Option(help="Port of the page and of the API.")] = 7007,
    host: Annotated[
        str, typer.Option(help="Address to listen on; by default only this machine can connect.")
    ] = LOOPBACK,
) -> None:
    """Run a local Slack workspace in which to develop any Slack app."""
    from bot.sandbox.__main__ import main as run_sandbox

    raise typer.Exit(run_sandbox(["--config", str(config), "--port", str(port), "--host", host]))


@commands.command()
def demo(
    auto: Annotated[bool, typer.Option("--auto", help="Let simulated reviewers and a lead do everything.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 1,
    spoil: Annotated[
        bool,
        typer.Option(
            "--spoil", help="Like --auto, but with mislabelled training data, so that the gate refuses the candidate."
        ),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Your own CSV, JSONL or Parquet file with the columns text and label; or pictures: a folder whose "
            "sub-folders are labels, or a MedMNIST .npz file."
        ),
    ] = None,
    size: Annotated[
        int,
        typer.Option(
            min=60,
            max=20_000,
            help="With --data or --queue scans: number of rows to use; more if a label would have under five.",
        ),
    ] = 600,
    cards: Annotated[
        int, typer.Option(min=10, max=500, help="With --auto: number of tickets, or scans, to review.")
    ] = 80,
    queue: Annotated[
        str, typer.Option(help="support: messages of customers; scans: pictures of handwritten digits.")
    ] = "support",
    keep: Annotated[
        bool, typer.Option("--keep", help="With --auto: keep the workspace open after the summary, until Ctrl-C.")
    ] = False,
    past: Annotated[
        bool,
        typer.Option(
            "--past",
            help="Begin with three past weeks, a budget and a promise: the model is weak on what comes by fax. Two "
            "days ago most customers began to write in Spanish, and yesterday some wrote what no label fits.",
        ),
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the local workspace's page; 0 for any free port.")] = 7007,
) -> None:
    """Run the whole loop on this machine, without a Slack account."""
    from bot.demo.folder import require_free_folder

    require_free_folder()  # before large libraries are loaded
    from bot.demo.play import Options, play

    if queue not in QUEUES:
        raise Invalid(f"The demo has no queue “{queue}”. Choose from: {', '.join(QUEUES)}.")

    logging.getLogger().setLevel(logging.WARNING)
    with suppress(KeyboardInterrupt):
        play(Options(auto or spoil, seed, spoil, data, size, cards, port, keep, queue, past), out)
