"""The whole of Goldloop as it runs: a workspace, the bot connected to it, a worker, a real database. The tests act only
as people do (Slack), as senders do (rows of predictions) and as operators do (the terminal)."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from bot.budget import Budget
from bot.clock import utc_now
from bot.sandbox.client import Message, Person, SandboxClient
from bot.sandbox.config import SandboxConfig
from bot.sandbox.server import serve
from bot.slack.app import build_app
from bot.slack.connection import socket_mode
from bot.slack.people import refresh_people
from bot.wiring import Services, assemble, slack_client
from bot.worker import worker
from core.database import PATIENT, Database
from core.intake.ingest import record_predictions
from core.intake.predictions import checked_prediction
from core.policy import Policy, QueuePolicy
from core.queues import sync_queues
from core.records.delivery import Posting
from tests.people import ANA, BEN, CLEO, DAN, EVA, LEADS, REVIEW, support_policy, workspace

PATIENCE = 25.0  # seconds; a loaded machine is slow, and nobody waits longer than needed
HURRY = 50  # the workspace of the tests has no rates unless a test asks for them, so nobody waits a second per message

SEEDS = (
    ("please give me my money back for the lamp", "refund"),
    ("i want a refund, the chair does not fit", "refund"),
    ("send the money back, i returned the table", "refund"),
    ("money back for the broken vase please", "refund"),
    ("you charged my card twice this month", "billing error"),
    ("the amount on the invoice is wrong", "billing error"),
    ("i was charged for a membership i never bought", "billing error"),
    ("my card was charged the wrong amount", "billing error"),
    ("where is my parcel, it was due on monday", "delivery"),
    ("the courier never came with my parcel", "delivery"),
    ("my parcel is late again, where is it", "delivery"),
    ("the driver left the parcel in the rain", "delivery"),
)


@dataclass
class Loop:
    """One running Goldloop."""

    box: SandboxClient
    services: Services
    database: Database
    policy: Policy

    def __post_init__(self) -> None:
        self.ana, self.ben, self.eva = (self.box.person(person) for person in (ANA, BEN, EVA))
        self.cleo, self.dan = self.box.person(CLEO), self.box.person(DAN)

    @property
    def queue(self) -> QueuePolicy:
        return self.policy.queues[0]

    def predict(self, external_id: str, text: str, chances: dict[str, float], **more: Any) -> None:
        row = {"external_id": external_id, "model_version": "sender-1", "text": text, "probabilities": chances, **more}
        with self.database.transaction() as session:
            record_predictions(session, [checked_prediction(row, self.queue)], utc_now(), self.queue)

    def card(self, words: str, person: Person | None = None, channel: str = REVIEW) -> Message:
        """The newest message with these words, once it is there, and stored where: a reaction that comes in the instant
        before is brought again by Slack, but only after a minute."""
        who = person or (self.cleo if channel == LEADS else self.ana)

        def found() -> Message | None:
            hits = [one for one in who.messages(channel) if words in one.plain and not one.ephemeral]
            return hits[-1] if hits and not (channel == LEADS and self._is_posting(channel)) else None

        return _certain(self.box.wait_for(found, PATIENCE, what=f"a message with “{words}” in {channel}"))

    def told(self, person: Person, words: str, channel: str = REVIEW) -> Message:
        """The newest message that only this person sees, once it has these words."""

        def found() -> Message | None:
            hits = [one for one in person.messages(channel) if one.ephemeral and words in one.plain]
            return hits[-1] if hits else None

        return _certain(self.box.wait_for(found, PATIENCE, what=f"“{words}” told to {person.name}"))

    def _is_posting(self, channel: str) -> bool:
        under_way = select(Posting.id).where(Posting.channel == channel, Posting.unconfirmed, Posting.ts.is_(None))
        with self.database.reading(wait=PATIENT) as session:
            return session.scalars(under_way.limit(1)).first() is not None


def _certain(message: Message | None) -> Message:
    assert message is not None
    return message


StartLoop = Callable[..., Loop]


@pytest.fixture
def start_loop(database: Database) -> Iterator[StartLoop]:
    with ExitStack() as stack:

        def start(policy: Policy | None = None, config: SandboxConfig | None = None) -> Loop:
            rules, place = policy or support_policy(), config or workspace()
            url = stack.enter_context(serve(place, port=0))
            box = stack.enter_context(SandboxClient(url))
            app_config = place.apps[0]
            budget = Budget(lambda: time.monotonic() * HURRY)
            services = assemble(database, slack_client(app_config.bot_token, f"{url}/api/"), rules, budget)
            with database.transaction() as session:
                sync_queues(session, rules, utc_now())
            refresh_people(services)
            stack.enter_context(socket_mode(build_app(services), app_config.app_token))
            stack.enter_context(worker(services))
            return Loop(box, services, database, rules)

        yield start


@pytest.fixture
def loop(start_loop: StartLoop) -> Loop:
    return start_loop()


def seeds(*more: tuple[str, str]) -> Sequence[tuple[str, str]]:
    return SEEDS + more
