"""`make audit`: known holes in the locked versions, by the advisories that pip-audit knows.

Ends with 0 if there are none, with 1 if there are some, and with 3 if the advisories could not be reached, which is no
finding: CI goes on then, and says so.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parents[2] / ".constraints.txt"
COMMAND = (
    "pip_audit",
    "--no-deps",
    "--disable-pip",
    "--format",
    "json",
    "--progress-spinner",
    "off",
    "--timeout",
    "10",
)
LONGEST = 120  # seconds for all of them
NONE, SOME, UNREACHABLE = 0, 1, 3
GO_ON = "Known holes were not looked for: the advisories could not be reached."


def main() -> int:
    try:
        done = subprocess.run(
            [sys.executable, "-m", *COMMAND, "-r", str(LOCK)],
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        report = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        report = {"dependencies": []}
    code, words = judged(report)
    print(words)  # noqa: T201 - it is what the command is for
    return code


def judged(report: dict[str, Any]) -> tuple[int, str]:
    """What pip-audit's report comes to. Where some could not be asked about, that is said beside what was found."""
    asked = [one for one in report["dependencies"] if "vulns" in one]
    unknown = [one["name"] for one in report["dependencies"] if "vulns" not in one]
    holes = [line for one in asked for line in _lines(one)]
    missed = [f"Not asked about: {', '.join(unknown)}."] if unknown else []
    if holes:
        return SOME, "\n".join([*holes, *missed])
    if not asked:
        return UNREACHABLE, GO_ON
    return NONE, "\n".join([f"No known holes in {len(asked)} packages.", *missed])


def _lines(one: dict[str, Any]) -> list[str]:
    mended = {hole["id"]: ", ".join(hole["fix_versions"]) or "nothing yet" for hole in one["vulns"]}
    return [f"{one['name']} {one['version']}: {name}, mended in {where}" for name, where in mended.items()]


if __name__ == "__main__":
    sys.exit(main())
