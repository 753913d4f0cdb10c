"""`make conformance`: do Bolt for Python and Bolt for JavaScript see the same workspace, by socket and by HTTP?

Prints a table of acts and runs and exits with 1 where a run differs from the others.
"""

import difflib
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass

from bot.sandbox.wire import Json
from tests.conformance.runs import FOLDER, JAVASCRIPT, PYTHON, Run, play
from tests.conformance.script import ACTS

SHOWN_LINES = 60  # of one difference
Records = dict[Run, list[Json]]


@dataclass(frozen=True)
class Row:
    """One act: the runs that saw something else than most did, and whatever was missing in all of them."""

    name: str
    differing: tuple[Run, ...]
    diffs: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not self.diffs


def compared(records: Records) -> list[Row]:
    return [_row(act.name, {run: record[at] for run, record in records.items()}) for at, act in enumerate(ACTS)]


def _row(name: str, seen: dict[Run, Json]) -> Row:
    texts = {run: json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True) for run, record in seen.items()}
    most = Counter(texts.values()).most_common(1)[0][0]
    usual = next(run for run, text in texts.items() if text == most)
    differing = tuple(run for run, text in texts.items() if text != most or "missing" in seen[run])
    diffs = [_diff(usual, most, run, texts[run]) for run in differing if texts[run] != most]
    if "missing" in seen[usual]:
        diffs.append(f"{usual}: {json.dumps(seen[usual]['missing'])}")
    return Row(name, differing, tuple(diffs))


def _diff(usual: Run, expected: str, run: Run, got: str) -> str:
    lines = list(difflib.unified_diff(expected.split("\n"), got.split("\n"), str(usual), str(run), n=4, lineterm=""))
    cut = [f"... {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
    return "\n".join(lines[:SHOWN_LINES] + cut)


def table(rows: list[Row], runs: list[Run]) -> str:
    """An act a line, a run a column; below it every difference."""
    width = max(len(row.name) for row in rows) + 5
    lines = ["    " + "act".ljust(width - 4) + "".join(str(run).ljust(19) for run in runs).rstrip()]
    for number, row in enumerate(rows, start=1):
        words = ("differs" if run in row.differing else "same" for run in runs)
        lines.append(f"{number:3} {row.name.ljust(width - 4)}" + "".join(word.ljust(19) for word in words).rstrip())
    for number, row in enumerate(rows, start=1):
        lines += [f"\n{number} {row.name}\n{diff}" for diff in row.diffs]
    return "\n".join(lines)


def missing_tool() -> str | None:
    """What keeps the JavaScript app from running, as a sentence; None where nothing does."""
    absent = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"{' and '.join(absent)} not found: install Node.js 20 or newer." if absent else None


def installed() -> bool:
    """Whether node_modules is what package-lock.json asks for."""
    made = FOLDER / "node_modules" / ".package-lock.json"
    return made.exists() and made.stat().st_mtime >= (FOLDER / "package-lock.json").stat().st_mtime


def install() -> str | None:
    """`npm ci`; the end of its words where it fails."""
    if installed():
        return None
    done = subprocess.run(["npm", "ci"], cwd=FOLDER, capture_output=True, text=True, check=False, env=dict(os.environ))
    return None if done.returncode == 0 else f"npm ci failed:\n{(done.stdout + done.stderr)[-2000:]}"


def main() -> int:
    started = time.monotonic()
    obstacle = missing_tool() or install()
    runs = [*PYTHON, *(() if obstacle else JAVASCRIPT)]
    records: Records = {}
    for run in runs:
        began = time.monotonic()
        records[run] = play(run)
        sys.stderr.write(f"{run}: {len(ACTS)} acts in {time.monotonic() - began:.1f} s\n")
    rows = compared(records)
    print_line(table(rows, runs))
    differing = sum(not row.same for row in rows)
    print_line(f"\n{len(rows)} acts, {len(runs)} runs, {differing} differ, {time.monotonic() - started:.0f} s.")
    if obstacle:
        print_line(f"Bolt for JavaScript was left out. {obstacle}")
    return 1 if differing else 0


def print_line(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
