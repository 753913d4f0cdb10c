"""An idle Goldloop: processor time, memory, and how long it takes to start.

    python -m benchmarks.idle [--seconds 120]

On each database, `goldloop run` and `goldloop web` as an operator starts them, with a queue and without work: the share
of a core that they use, the memory that is theirs (RSS), the seconds from start to listening, and the processor seconds
of it; the same of `goldloop --help` and of a bare interpreter. On a busy machine seconds are longer than they would be,
processor seconds less so: divide by the bare interpreter's of the same run. The last line is SUMMARY with the figures
as JSON. Results of one run: benchmarks/idle.txt.

All start from compiled files, as installed packages do, also where this shell has PYTHONDONTWRITEBYTECODE.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.places import KINDS, Place, place
from benchmarks.processes import ROOT, environment, free_port, goldloop, running

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
STARTED = (
    "bot.api.app",
    "bot.cli.app",
    "bot.cli.processes",
    "bot.server.run",
    "bot.worker.scheduler",
    "core.storage.postgres",
)
SETTLED = 20.0  # seconds after which a process that has just started is idle
POLICY = """
[queues.support]
title = "Support"
channel = "C0REVIEW"
leads_channel = "C0LEADS"
leads = ["U0CLEO"]
labels = ["refund", "delivery"]
"""


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


def idle(where: Place, command: str, seconds: float) -> dict[str, float]:
    policy = where.folder / "goldloop.toml"
    policy.write_text(POLICY)
    slack, port = free_port(), free_port()
    with ExitStack() as stack:
        stack.enter_context(running("-m", "benchmarks.slack_stub", str(slack), port=slack))
        began = time.monotonic()
        process = stack.enter_context(
            running(*goldloop(command), env=environment(where.url, policy, slack, port), port=port)
        )
        listening, start = time.monotonic() - began, processor_seconds(process.pid)
        time.sleep(SETTLED)
        before, at = processor_seconds(process.pid), time.monotonic()
        time.sleep(seconds)
        share = (processor_seconds(process.pid) - before) / (time.monotonic() - at)
        return {"percent": 100 * share, "mb": memory_mb(process.pid), "listens_s": listening, "start_cpu_s": start}


def compile_into(folder: str) -> None:
    """What is started from now on finds its modules compiled there."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = folder
    subprocess.run([sys.executable, "-c", f"import {', '.join(STARTED)}"], check=True, cwd=ROOT)


def once(*command: str) -> tuple[float, float]:
    """Seconds, and processor seconds, of the quickest of three."""
    found = []
    for _ in range(3):
        before, at = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append((time.monotonic() - at, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=120)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        compile_into(folder)
        measure(seconds)


def measure(seconds: float) -> None:
    figures: dict[str, float] = {}
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {seconds:g} s idle\n")
    for name, command in (("bare", ("-c", "pass")), ("help", goldloop("--help"))):
        wall, own = once(*command)
        print(f"{name:8}{wall:8.2f} s{own:8.2f} s of a processor", flush=True)
        figures |= {f"{name}_s": round(wall, 2), f"{name}_cpu_s": round(own, 2)}
    print(f"\n{'database':12}{'command':10}{'% of a core':>12}{'RSS MB':>9}{'listens s':>11}{'CPU s':>8}")
    for kind in KINDS:
        with place(kind) as where:
            for command in ("run", "web"):
                found = idle(where, command, seconds)
                print(
                    f"{kind:12}{command:10}{found['percent']:12.2f}{found['mb']:9.0f}{found['listens_s']:11.1f}"
                    f"{found['start_cpu_s']:8.1f}",
                    flush=True,
                )
                figures |= {f"{kind}_{command}_{what}": round(value, 2) for what, value in found.items()}
    print(f"SUMMARY {json.dumps(figures)}")


if __name__ == "__main__":
    main()
