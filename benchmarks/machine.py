"""The machine that a figure was measured on, and summaries of many measured times."""

import os
import platform
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

NAMED = ("sqlalchemy", "psycopg", "fastapi", "uvicorn", "slack-bolt", "scikit-learn")


def heading(postgres: str | None = None) -> str:
    """Date, machine, versions and load: a figure without them says little. postgres: what its server calls itself."""
    versions = ", ".join(f"{name} {version(name)}" for name in NAMED)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {os.cpu_count()} cores, {memory_total():.0f} GiB, "
        f"{platform.system()} {platform.machine()}; load average {load()}\n"
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
        + (f", PostgreSQL {postgres}" if postgres else "")
        + f", {versions}\nrevision {revision()}; {' '.join(sys.argv[1:]) or 'default sizes'}\n"
    )


def load() -> str:
    """Of the last minute: on a machine that others use too, times are only comparable within a round."""
    return f"{os.getloadavg()[0]:.1f}"


def revision() -> str:
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    asked = subprocess.run(git, capture_output=True, text=True)
    return asked.stdout.strip() or "unknown"


def memory_total() -> float:
    """In GiB."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30


def peak_memory_of(pid: int) -> float:
    """The most that the process ever held, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def memory_of(pid: int) -> float:
    """What the process and its children hold now, in MB."""
    task = Path(f"/proc/{pid}")
    own = int((task / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    children = [child for thread in (task / "task").iterdir() for child in (thread / "children").read_text().split()]
    return own + sum(memory_of(int(child)) for child in children)


def processor_seconds(pid: int) -> float:
    """What the process has used so far: on a machine that others use too, a steadier figure than any time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(times: Sequence[float], share: float) -> float:
    ranked = sorted(times)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]
