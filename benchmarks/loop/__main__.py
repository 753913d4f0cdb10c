"""`make bench-loop`: months of the loop on real texts, with the truth known; see benchmarks/README.md."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.loop import results
from benchmarks.loop.plan import Arm, Team, planned
from benchmarks.loop.report import report
from benchmarks.loop.running import MonthFailed, run_all, say, work_folder
from benchmarks.loop.sources import DATA, missing_file
from benchmarks.machine import heading

ROOT = Path(".loop")
QUICK, FULL = (1, 8), (3, 16)  # seeds for each data set, cycles
app = typer.Typer(add_completion=False)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # of each process: there is one process for each core


@app.command()
def main(
    full: Annotated[bool, typer.Option("--full", help="3 seeds for each data set, 16 cycles")] = False,
    seeds: Annotated[int, typer.Option(min=0, help="for each data set; 0: as --full says")] = 0,
    cycles: Annotated[int, typer.Option(min=0, help="of each month; 0: as --full says")] = 0,
    only: Annotated[Team | None, typer.Option(help="one size of team")] = None,
    data: Annotated[Path, typer.Option(help="holds banking77/, clinc150/ and hwu64/")] = DATA,
    processes: Annotated[int, typer.Option(min=1, help="months at a time")] = os.cpu_count() or 1,
    only_report: Annotated[bool, typer.Option("--report", help="of the runs that are finished; play nothing")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="play finished months again")] = False,
) -> None:
    """Play months of the loop and print what the gate did. Progress goes to stderr. Ctrl-C ends it; the same command
    goes on where it was, unless the code was changed."""
    usual = FULL if full else QUICK
    settings = [one for one in planned(seeds or usual[0], cycles or usual[1]) if only in (None, one.team)]
    if missing := missing_file(data, settings):
        say(f"There is no {missing}. Give the folder that holds banking77/, clinc150/ and hwu64/ with --data.")
        raise typer.Exit(1)
    if fresh:
        shutil.rmtree(ROOT, ignore_errors=True)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    folder = work_folder(ROOT)
    try:
        run_all([] if only_report else settings, data, folder, processes)
    except KeyboardInterrupt:
        say("Stopped; the same command goes on from here.")
        raise typer.Exit(130) from None
    except MonthFailed:
        say("A month has failed, see above; the same command plays it again.")
        raise typer.Exit(1) from None
    runs = [[results.kept(folder, setting, arm) for arm in Arm] for setting in settings]
    finished = [run for run in runs if all(run)]
    if not finished:
        say("No run is finished.")
        raise typer.Exit(1)
    print(f"{heading()}{len(finished)} of {len(settings)} runs are finished\n")
    for line in report([month for run in finished for month in run if month is not None]):
        print(line)


if __name__ == "__main__":
    app()
