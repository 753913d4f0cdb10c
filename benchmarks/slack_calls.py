"""Calls to Slack per settled item, in calm work.

    python -m benchmarks.slack_calls

An item comes, and its voters click one after the other, so many seconds apart. Every call to Slack is real and goes to
the local workspace, which keeps Slack's rates; the clock is the benchmark's own, so that an hour takes seconds. Counted
are posts and updates (`chat.postMessage`, `chat.update`). Receipts go to `response_url` and are no calls of a method.
"""

import sys
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import heading
from bot.runtime.migrate import migrate
from core.storage.database import Database
from tests.core.desk import REFUND
from tests.people import ANA, BEN, EVA
from tests.reliability.slow_motion import Stage, staged

VOTES = (2, 3)
BETWEEN = (2, 20, 45)  # seconds from one vote to the next
ITEMS = 10
VOTERS = (ANA, BEN, EVA)
COUNTED = ("chat.postMessage", "chat.update")
QUIET = 10  # seconds for what is still to be said after the last vote


@dataclass(frozen=True)
class Counted:
    """Calls per settled item."""

    posts: float
    updates: float

    @property
    def calls(self) -> float:
        return self.posts + self.updates


def counted(votes: int, between: int, items: int = ITEMS) -> Counted:
    """Calls for `items` items, each settled by the last of `votes` votes."""
    with tempfile.TemporaryDirectory() as folder, closing(Database(f"sqlite:///{Path(folder) / 'box.sqlite'}")) as made:
        migrate(made)
        rule = {"rule": "majority", "votes": 2 * votes - 1}
        with staged(made, consensus=rule) as stage:
            worker = stage.worker()
            for number in range(items):
                item = stage.ticket(f"ticket number {number} of many")
                for voter in VOTERS[:votes]:
                    stage.work(worker, seconds=between, every=max(1.1, between / 8))
                    stage.desk.click(voter, item, REFUND, now=stage.now())
            stage.work(worker, seconds=QUIET)
            return _per_item(stage)


def _per_item(stage: Stage) -> Counted:
    calls = Counter(call["method"] for call in stage.box.calls() if call["ok"] and call["method"] in COUNTED)
    settled = stage.corrections()
    return Counted(*(calls[method] / settled for method in COUNTED))


def main() -> None:
    sys.stdout.write(heading() + "\nvotes   seconds between   posts   updates   calls per settled item\n")
    for votes in VOTES:
        for between in BETWEEN:
            found = counted(votes, between)
            line = f"{votes:>5}{between:>18}{found.posts:>8.2f}{found.updates:>10.2f}{found.calls:>25.2f}\n"
            sys.stdout.write(line)


if __name__ == "__main__":
    main()
