"""Kill -9 of the driver, the processes, the workers and the scheduler of scans, at random moments. `make chaos` runs it
after the rounds in which people work; alone: python -m benchmarks.chaos_scans."""

import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.chaos.results import machine
from benchmarks.chaos_scans.place import FILES, KINDS, ROWS_PER_FILE, Kind, laid_out, written_source
from benchmarks.chaos_scans.rounds import ENGINES, Engine, Outcome, Rounds, undisturbed
from tests.core.discovery.dask_processes import DaskProcesses, dask_processes

VICTIMS = ("driver", "process of the pool", "worker", "scheduler")
WIDTH = 130
Found = dict[tuple[Kind, Engine], Outcome]


def main(
    kills: Annotated[int, typer.Option(min=1, help="for each engine on each database")] = 10,
    seed: Annotated[int, typer.Option(help="of the source, the victims and the moments")] = 1,
    rows: Annotated[int, typer.Option(min=100, help=f"of each of {FILES} files")] = ROWS_PER_FILE,
    only: Annotated[str, typer.Option(help=f"one engine: {', '.join(ENGINES)}")] = "",
    out: Annotated[Path | None, typer.Option(help="write the table here as well")] = None,
) -> None:
    """Exit code 1 if a scan found other texts, left something behind or did not end."""
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="chaos-scans-"))
    found: Found = {}
    for key, outcome in _played(folder, kills, seed, rows, only):
        found[key] = outcome
        console.print(f"{', '.join(key)}: {outcome.kills.total()} kills,", *(outcome.broken or ["the same texts"]))
        if out is not None:
            _write(out, f"{kills} kills for each engine and database, seed {seed}", rows, found)
    broken = [words for outcome in found.values() for words in outcome.broken]
    console.print(_table(found))
    if broken:
        console.print(*broken, f"The logs are in {folder}.", sep="\n")
        raise typer.Exit(1)
    shutil.rmtree(folder)


def _played(
    folder: Path, kills: int, seed: int, rows: int, only: str
) -> Iterator[tuple[tuple[Kind, Engine], Outcome]]:  # fmt: skip
    source = written_source(folder / "source", seed, rows=rows)
    for number, kind in enumerate(KINDS):
        with laid_out(folder / kind, source, kind) as place:
            digest = undisturbed(place)
            for engine in (one for one in ENGINES if only in ("", one)):
                with ExitStack() as stack:
                    cluster = started_cluster(stack, place.folder) if engine == "Dask cluster" else None
                    yield (kind, engine), Rounds(place, engine, cluster, seed + number).played(kills, digest)


def _write(out: Path, what: str, rows: int, found: Found) -> None:
    """After each engine, so that a run that is ended early leaves what it has."""
    with out.open("w", encoding="utf-8") as file:
        to_file = Console(file=file, width=WIDTH)
        to_file.print(f"python -m benchmarks.chaos_scans: {what}", "", machine(), sep="\n")
        to_file.print(f"{FILES * rows:,} texts in {FILES} files", "", _table(found), sep="\n")


def started_cluster(stack: ExitStack, folder: Path) -> DaskProcesses:
    logs = folder / "cluster"
    logs.mkdir()
    return stack.enter_context(dask_processes(logs, _free_port()))


def _free_port() -> int:
    while True:  # below those that the system gives to outgoing connections, so that none is taken meanwhile
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def _table(found: Found) -> Table:
    table = Table("database", "engine", "scans", "kills", *VICTIMS, "last orphan, s", "broken", "s")
    for (kind, engine), one in found.items():
        kills = [one.kills[victim] for victim in VICTIMS]
        numbers = (one.rounds, sum(kills), *kills)
        table.add_row(
            kind, engine, *map(str, numbers), f"{one.orphans:.1f}", str(len(one.broken)), f"{one.seconds:.0f}"
        )
    return table


if __name__ == "__main__":
    typer.run(main)
