"""Workers in slow motion: a test says when each looks for messages, and what time it is, for Goldloop and for Slack.
The workspace, the database and the calls between them are real."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bot.checks.delivery import undelivered
from bot.checks.finding import Outcome
from bot.runtime.clock import utc_now
from bot.runtime.rate_limits import Budget
from bot.runtime.services import Services, assemble, slack_client
from bot.sandbox.client import Message, SandboxClient
from bot.sandbox.config import SandboxConfig
from bot.sandbox.server import serve
from bot.slack.delivery.deliver import deliver_next, deliver_next_notice
from bot.slack.delivery.incidents import tell_of_incidents
from core.records.delivery import Notice, Posting
from core.records.reviews import Correction
from core.storage.database import Database
from tests.core.desk import REFUND, Desk, opened
from tests.people import ANA, BEN, CLEO, LEADS, REVIEW, support_policy, workspace

ELSEWHERE = "another-machine:1"  # a process of which is not known here whether it is alive


@dataclass
class Stage:
    box: SandboxClient
    desk: Desk
    url: str
    token: str
    start: datetime
    has_rates: bool
    seconds: float = 0.0
    looked_for_incidents: float = -60.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def worker(self, name: str = f"{ELSEWHERE}:one", token: str = "") -> Services:
        slack = slack_client(token or self.token, f"{self.url}/api/")
        made = assemble(self.desk.database, slack, self.desk.policy, Budget(lambda: self.seconds))
        return replace(made, process=name, clock=self.now)

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        if self.has_rates:  # nothing else that is tried here goes by Slack's clock
            self.box.advance(seconds)

    def work(self, *workers: Services, seconds: float, every: float = 1.1) -> None:
        """All of them look for something to say, and again and again, with time for a post between two looks."""
        for _look in range(math.ceil(seconds / every)):
            for worker in workers:
                while deliver_next(worker) or deliver_next_notice(worker):
                    pass
            if self.seconds >= self.looked_for_incidents + 5:
                self.looked_for_incidents = self.seconds
                tell_of_incidents(workers[0])
            self.wait(every)

    def ticket(self, text: str) -> int:
        return self.desk.ticket(text, now=self.now())

    def settle(self, item_id: int) -> None:
        for person in (ANA, BEN):
            self.desk.click(person, item_id, REFUND, now=self.now())

    def cards(self, words: str, channel: str = REVIEW) -> list[Message]:
        reader = self.box.person(CLEO)
        return [one for one in reader.messages(channel) if words in one.plain and not one.ephemeral]

    def told(self) -> list[str]:
        """What the leads were told of troubles."""
        marks = ("I can't post", "Slack refuses", "Resolved: ")
        return [one.plain for one in self.box.person(CLEO).messages(LEADS) if one.plain.startswith(marks)]

    def calls(self, *methods: str) -> list[str]:
        """What Slack answered to these, oldest first."""
        return [str(call["error"] or "ok") for call in self.box.calls() if call["method"] in methods]

    def doctor(self) -> list[str]:
        """What `goldloop doctor` says of messages that did not go, and what to do about it."""
        found = list(undelivered(self.desk.database, self.now))
        return [f"{finding.words} → {finding.remedy}" for finding in found if finding.outcome is Outcome.BAD]

    def waiting(self) -> int:
        """Messages that are not up to date."""
        with self.desk.database.reading() as session:
            postings = session.scalars(
                select(Posting.id).where(Posting.requested_version > Posting.delivered_version)
            ).all()
            notices = session.scalars(select(Notice.id).where(Notice.delivered_at.is_(None))).all()
        return len(postings) + len(notices)

    def corrections(self) -> int:
        with self.desk.database.reading() as session:
            return len(session.scalars(select(Correction.id)).all())


@contextmanager
def staged(database: Database, config: SandboxConfig | None = None, **policy_sections: Any) -> Iterator[Stage]:
    place, policy = config or workspace(), support_policy(**policy_sections)
    with serve(place, port=0) as url, SandboxClient(url) as box:
        yield Stage(box, opened(database, policy, utc_now()), url, place.apps[0].bot_token, utc_now(), place.rates)
