"""The whole of Goldloop as it runs: a workspace, the bot connected to it, a worker, a real database. The tests act only
as people do (Slack), as senders do (rows of predictions) and as operators do (the terminal)."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from bot.demo import spoilt
from bot.observability.liveness import Liveness
from bot.runtime.clock import utc_now
from bot.runtime.rate_limits import Budget
from bot.runtime.services import Services, assemble, slack_client
from bot.sandbox.client import Message, Person, SandboxClient
from bot.sandbox.config import SandboxConfig
from bot.sandbox.server import serve
from bot.server.app import create_app
from bot.server.listener import listening
from bot.slack.directory.refresh import refresh_people
from bot.slack.inbound.app import build_app
from bot.slack.inbound.socket_mode import socket_mode
from bot.worker.scheduler import worker
from core.intake.ingest import record_predictions
from core.intake.predictions import checked_prediction
from core.policy import Policy, QueuePolicy
from core.policy_in_force.sync import sync_queues
from core.records.delivery import Posting
from core.records.reviews import Answer
from core.storage.database import PATIENT, Database
from core.vocabulary import AnswerKind, Card
from tests.people import ANA, BEN, CLEO, DAN, EVA, LEADS, REVIEW, support_policy, workspace

PATIENCE = 60.0  # seconds; a loaded machine is slow, and no wait is longer than needed
HURRY = 50  # the workspace of the tests has no rates unless a test asks for them, so no test waits a second per message


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
        with self.database.transaction(wait=PATIENT) as session:
            record_predictions(session, [checked_prediction(row, self.queue)], utc_now(), self.queue)

    def retrain(self) -> None:
        """Cleo asks for a candidate, and again where the database is busy, as people do."""

        def is_asked_for() -> bool:
            answer = self.cleo.command("/goldloop retrain", channel=LEADS)
            return answer.ok and "try again" not in str(answer.response)

        self.box.wait_for(is_asked_for, PATIENCE, what="an answer to /goldloop retrain")

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

    def votes(self, item_id: int = 1) -> list[str]:
        """Who has an answer to this item that counts."""
        with self.database.reading(wait=PATIENT) as session:
            current = select(Answer.person).where(Answer.item_id == item_id, Answer.is_current)
            return sorted(session.scalars(current.where(Answer.kind != AnswerKind.WITHDRAWN)))

    def _is_posting(self, channel: str) -> bool:
        """A card; a chart is a file, which has no ts, and its upload may have to be tried again half a minute later."""
        card = (Posting.channel == channel, Posting.card.not_in((Card.CHART, Card.DRIFT_CHART)))
        under_way = select(Posting.id).where(*card, Posting.unconfirmed, Posting.ts.is_(None))
        with self.database.reading(wait=PATIENT) as session:
            return session.scalars(under_way.limit(1)).first() is not None


@contextmanager
def running_loop(
    database: Database,
    seen_by: Database | None = None,
    policy: Policy | None = None,
    config: SandboxConfig | None = None,
    port: int | None = None,
) -> Iterator[Loop]:
    """Workspace, bot and worker on `database`. seen_by: what the test acts on as a sender, if by another way. port:
    Slack reaches the bot over HTTP, there; without it by a socket."""
    rules, place, seen = policy or support_policy(), config or workspace(), seen_by or database
    if port is not None:
        app = replace(place.apps[0], request_url=f"http://127.0.0.1:{port}/slack/events")
        place = replace(place, apps=(app,))
    app = place.apps[0]
    with ExitStack() as stack:
        url = stack.enter_context(serve(place, port=0))
        box = stack.enter_context(SandboxClient(url))
        budget = Budget(lambda: time.monotonic() * HURRY)
        services = assemble(database, slack_client(app.bot_token, f"{url}/api/"), rules, budget, spoilt.LEARNERS)
        with seen.transaction() as session:
            sync_queues(session, rules, utc_now())
        refresh_people(services)
        liveness = Liveness()
        slack = stack.enter_context(closing(build_app(services)))
        if port is None:
            stack.enter_context(socket_mode(slack, app.app_token))
        else:
            web = create_app(services, slack, app.signing_secret, liveness)
            stack.enter_context(listening(web, "127.0.0.1", port))
        stack.enter_context(worker(services, liveness))
        yield Loop(box, services, seen, rules)


def _certain(message: Message | None) -> Message:
    assert message is not None
    return message
