"""`make chaos`: rounds of kills over both databases and both connections, until so many kills have been made."""

import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.chaos import results
from benchmarks.chaos.place import Kind, Way
from benchmarks.chaos.rounds import Result, Round, play

ROOT = Path(".chaos")
PER_ROUND = 20  # the start and the end of a round take a minute
STAGES: tuple[tuple[Kind, Way], ...] = (
    ("postgresql", "http"), ("sqlite", "http"), ("postgresql", "socket"), ("sqlite", "socket"),
)  # fmt: skip
WIDTH = 130


def main(
    kills: Annotated[int, typer.Option(min=1, help="in all; twenty make a round")] = 200,
    seed: Annotated[int, typer.Option(help="of the first round; each further one has the next")] = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="play finished rounds again")] = False,
    out: Annotated[Path | None, typer.Option(help="write the tables here as well")] = None,
) -> None:
    """Kill -9 at random moments while people work; then check every promise. Ctrl-C ends it cleanly; the same command
    goes on where it was. Exit code 1 if a promise was broken; what is needed to look into it stays under .chaos/."""
    console = Console()
    if fresh:
        shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(exist_ok=True)
    wanted = rounds(kills, seed)
    done = results.of_these(results.kept_results(ROOT), wanted)
    stopped = False
    try:
        _play_all(wanted, done, console)
    except KeyboardInterrupt:
        stopped = True
        console.print(f"Stopped after {len(done)} of {len(wanted)} rounds; the same command goes on from here.")
    if done:
        _show(done, console)
    if out is not None and not stopped:
        with out.open("w", encoding="utf-8") as file:
            _show(done, Console(file=file, width=WIDTH), f"make chaos: {kills} kills, seeds from {seed}")
    if stopped or any(result.broken for result in done):
        raise typer.Exit(130 if stopped else 1)


def rounds(kills: int, seed: int) -> list[Round]:
    """Twenty kills each, the last one with what is left; the four stages in turn."""
    full, rest = divmod(kills, PER_ROUND)
    sizes = [PER_ROUND] * full + [rest] * bool(rest)
    return [
        Round(number, seed + number, size, kind, way)
        for number, (size, (kind, way)) in enumerate(zip(sizes, itertools.cycle(STAGES), strict=False))
    ]


def _play_all(wanted: Sequence[Round], done: list[Result], console: Console) -> None:
    known = [result.round for result in done]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=sum(one.kills for one in wanted), completed=sum(one.kills for one in known))
        for this in wanted:
            if this in known:
                continue

            def told(what: str, this: Round = this) -> None:
                progress.update(task, description=f"{this.name}: {what}")
                progress.advance(task, 0 if what.startswith(("PostgreSQL", "waiting", "checking")) else 1)

            progress.update(task, description=this.name)
            result = play(this, ROOT, told)
            results.keep(ROOT, result)
            done.append(result)
            for words in results.broken_words([result], ROOT):
                console.print(words, style="red", markup=False, highlight=False)


def _show(done: Sequence[Result], console: Console, title: str = "") -> None:
    if title:
        console.print(title, "", results.machine(), "", sep="\n", highlight=False)
    for table in (results.faults_table(done), results.invariants_table(done), results.notes_table(done)):
        console.print(table, highlight=False)
    for words in results.broken_words(done, ROOT):
        console.print(words, markup=False, highlight=False)


if __name__ == "__main__":
    typer.run(main)
