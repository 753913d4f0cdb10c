"""The support desk on a real database: senders, reviewers and leads act by the core's verbs, each in a transaction."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from core.delivery.card_refs import CardRef
from core.intake.ingest import Ingested, flag_for_review, record_predictions
from core.intake.predictions import NewPrediction, checked_prediction
from core.policy import Policy, QueuePolicy
from core.policy_in_force.sync import sync_queues
from core.queues import queue_named
from core.records.delivery import Posting
from core.records.predictions import Prediction
from core.records.queues import Queue
from core.records.reviews import Answer, Correction, ReviewItem
from core.review.votes import NewAnswer, Receipt, cast_vote, withdraw_vote
from core.storage.database import PATIENT, Database
from core.vocabulary import AnswerKind, Card, ErrorReason
from tests.people import DAN, support_policy

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
REFUND, BILLING, DELIVERY = "refund", "billing error", "delivery"
NONE, CANNOT, SKIP = AnswerKind.NONE_OF_THESE, AnswerKind.CANNOT_JUDGE, AnswerKind.SKIP
UNSURE = {REFUND: 0.5, BILLING: 0.4, DELIVERY: 0.1}
SURE = {REFUND: 0.95, BILLING: 0.04, DELIVERY: 0.01}

_clicks = itertools.count(1_764_000_000_000_000)  # Slack's clock never stands still
_tickets = itertools.count(1)


@dataclass(frozen=True)
class Desk:
    database: Database
    policy: Policy

    @property
    def rules(self) -> QueuePolicy:
        return self.policy.queues[0]

    def under(self, **sections: Any) -> "Desk":
        """The same desk under another policy."""
        return opened(self.database, support_policy(**sections))

    def queue(self) -> Queue:
        with self.database.reading() as session:
            return queue_named(session, self.rules.name)

    def ingest(self, *rows: dict[str, Any], now: datetime = NOW) -> Ingested:
        batch = [checked_prediction(row, self.rules) for row in rows]
        with self.database.transaction() as session:
            return record_predictions(session, batch, now, self.rules)

    def ticket(
        self, text: str | None = "", chances: dict[str, float] = UNSURE, now: datetime = NOW, **more: Any
    ) -> int:
        """A prediction that is flagged; the id of its item. text: None for an image alone."""
        row = sent(text, chances, **more)
        assert self.ingest(row, now=now).flagged == 1
        with self.database.reading() as session:
            found = select(ReviewItem.id).join(Prediction).where(Prediction.external_id == row["external_id"])
            return session.scalars(found).one()

    def flag(self, prediction: NewPrediction, person: str = DAN) -> int:
        """A person asks for a look."""
        with self.database.transaction() as session:
            return flag_for_review(session, prediction, person, NOW, self.rules)

    def click(
        self, person: str, item_id: int, answer: str, at: int | None = None, now: datetime = NOW, **why: Any
    ) -> Receipt:
        """answer: a label, or one of NONE, CANNOT and SKIP. at: Slack's time of the click; by default, the next one."""
        with self.database.transaction(wait=PATIENT) as session:
            return cast_vote(session, CardRef(item_id), person, said(answer, at, **why), now, self.policy)

    def undo(self, person: str, item_id: int, at: int | None = None, now: datetime = NOW) -> Receipt:
        with self.database.transaction(wait=PATIENT) as session:
            return withdraw_vote(session, CardRef(item_id), person, at or next(_clicks), now, self.policy)

    def settled(self, *people: str, answer: str = REFUND, **more: Any) -> int:
        """A ticket on which these people agree."""
        item_id = self.ticket(**more)
        for person in people:
            self.click(person, item_id, answer)
        return item_id

    def item(self, item_id: int) -> ReviewItem:
        with self.database.reading() as session:
            return session.get_one(ReviewItem, item_id)

    def prediction(self, item_id: int) -> Prediction:
        """What the item is about."""
        found = self.item(item_id).prediction
        assert found is not None
        return found

    def corrections(self, item_id: int) -> Sequence[Correction]:
        with self.database.reading() as session:
            return session.scalars(select(Correction).where(Correction.item_id == item_id)).all()

    def correction(self, item_id: int) -> Correction:
        [correction] = self.corrections(item_id)
        return correction

    def answers(self, item_id: int, person: str | None = None, current: bool = False) -> Sequence[Answer]:
        """Everything said about an item, oldest first."""
        with self.database.reading() as session:
            found = select(Answer).where(Answer.item_id == item_id).order_by(Answer.id)
            rows = session.scalars(found).all()
        return [row for row in rows if person in (None, row.person) and (row.is_current or not current)]

    def wanted(self, card: Card, subject_id: int) -> int:
        """How often the message about this row was asked to be brought up to date."""
        with self.database.reading() as session:
            found = select(Posting.requested_version).where(Posting.card == card, Posting.subject_id == subject_id)
            return session.scalar(found) or 0


def opened(database: Database, policy: Policy, now: datetime = NOW) -> Desk:
    with database.transaction() as session:
        sync_queues(session, policy, now)
    return Desk(database, policy)


def sent(text: str | None = "", chances: dict[str, float] = UNSURE, **more: Any) -> dict[str, Any]:
    """A row as a sender would send it, about a ticket of its own."""
    number = next(_tickets)
    text = f"ticket number {number}" if text == "" else text
    row = {"external_id": f"T-{number}", "model_version": "sender-1", "text": text}
    return row | {"probabilities": chances} | more


def said(answer: str, at: int | None = None, reason: ErrorReason | None = None, note: str = "") -> NewAnswer:
    kind = answer if isinstance(answer, AnswerKind) else AnswerKind.LABEL
    label = answer if kind is AnswerKind.LABEL else None
    return NewAnswer(kind, at or next(_clicks), label, reason, note)
