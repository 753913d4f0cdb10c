"""The backlog: messages and jobs that wait, and those that were given up. For operators; no decision depends on it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from core.delivery import incidents
from core.delivery.incidents import EVERYWHERE, HOLDS, RECORDS
from core.delivery.pausing import waits_for_resume
from core.policy import Policy
from core.queues import queue_named
from core.records.delivery import Incident, Notice, Posting
from core.records.drift import DriftAlarm
from core.records.jobs import Job
from core.records.reviews import ReviewItem
from core.vocabulary import Card, ItemState

MOST_NAMED = 5

CardOf = tuple[str, int]  # a card, of `Card`, and the id of the row that it shows


@dataclass(frozen=True)
class Waiting:
    """since: when the oldest was asked for; None if nothing waits."""

    count: int
    since: datetime | None


@dataclass(frozen=True)
class GivenUp:
    """Messages to one channel that are not delivered until people have resolved the cause. channel: empty for all
    channels. since: None where the messages were given up one by one; named: some of these, by the cards that they
    show."""

    channel: str
    reason: str
    count: int
    since: datetime | None = None
    named: tuple[CardOf, ...] = ()


@dataclass(frozen=True)
class DeadJob:
    name: str
    key: str
    error: str


def waiting(session: Session) -> Waiting:
    """Messages that are to be posted or redrawn, also those that wait for another attempt; without those that were
    given up, or that an incident or a paused queue holds up."""
    wanted = (Posting.requested_version > Posting.delivered_version, Posting.failure_reason == "")
    due = (*wanted, ~_held_up(Posting), ~waits_for_resume())
    since = func.min(func.coalesce(Posting.requested_at, Posting.next_attempt_at))
    cards, oldest_card = session.execute(select(func.count(), since).where(*due)).one()
    due_notice = (Notice.delivered_at.is_(None), Notice.failure_reason == "", ~_held_up(Notice))
    notices, oldest_notice = session.execute(select(func.count(), func.min(Notice.created_at)).where(*due_notice)).one()
    oldest = [at for at in (oldest_card, oldest_notice) if at is not None]
    return Waiting(cards + notices, min(oldest, default=None))


def _held_up(record: type[Posting] | type[Notice]) -> ColumnElement[bool]:
    here: ColumnElement[bool] = Incident.channel.in_((record.channel, EVERYWHERE))
    if record is Posting:
        here = and_(here, or_(~Incident.posts_only, Posting.ts.is_(None)))
    return select(Incident.id).where(HOLDS, here).exists()


def given_up(session: Session) -> list[GivenUp]:
    """The causes that people have to resolve; those that hold whole channels up come first."""
    found = []
    for incident in session.scalars(select(Incident).where(HOLDS).order_by(Incident.id)):
        found.append(GivenUp(incident.channel, incident.reason, count_waiting_for(session, incident), incident.since))
    for record in RECORDS:
        grouped = select(record.channel, record.failure_reason, func.count()).where(record.failure_reason != "")
        rows = session.execute(
            grouped.group_by(record.channel, record.failure_reason).order_by(record.channel, record.failure_reason)
        )
        for channel, reason, count in rows:
            found.append(GivenUp(channel, reason, count, named=named_as_given_up(session, channel, reason)))
    return found


def count_waiting_for(session: Session, incident: Incident) -> int:
    """How many messages this incident holds up or has stopped."""
    counts = [select(func.count(record.id)).where(incidents.waits_for(incident, record)) for record in RECORDS]
    return sum(session.scalar(count) or 0 for count in counts)


def named_as_given_up(session: Session, channel: str, reason: str) -> tuple[CardOf, ...]:
    """The first of the messages given up there for that reason, by what they show."""
    found = select(Posting.card, Posting.subject_id).where(Posting.channel == channel, Posting.failure_reason == reason)
    rows = session.execute(found.order_by(Posting.id).limit(MOST_NAMED))
    return tuple((card, subject) for card, subject in rows)


def try_again(session: Session, now: datetime) -> int:
    """Deliver messages that were given up. Returns how many. Repeating it changes nothing."""
    held = select(Incident).where(HOLDS, Incident.held_until > now)
    count = sum(count_waiting_for(session, incident) for incident in session.scalars(held))
    incidents.retry_now(session, now)
    for record in (Posting, Notice):
        done = session.execute(
            update(record)
            .where(record.failure_reason != "")
            .values(failure_reason="", attempts=0, next_attempt_at=now, leased_by=None, leased_until=None)
            .returning(record.id)
        )
        count += len(done.all())
    return count


def draw_open_again(session: Session, now: datetime, queue_id: int | None = None) -> int:
    """Request a redraw of the card of every unsettled item (in this queue), as after restoring a backup. Returns how
    many."""
    unsettled = select(ReviewItem.id).where(ReviewItem.state.in_((ItemState.OPEN, ItemState.DISPUTED)))
    if queue_id is not None:
        unsettled = unsettled.where(ReviewItem.queue_id == queue_id)
    return _draw_again(session, Card.REVIEW_ITEM, unsettled, now)


def draw_by_policy(session: Session, policy: Policy, now: datetime) -> None:
    """Request a redraw of open cards that were drawn under another policy of their queue (other labels, other leads),
    and of the queue's newest drift alarm, whose offers the policy allows. Safe to repeat."""
    for wanted in policy.queues:
        queue = queue_named(session, wanted.name)
        if queue.cards_policy_fingerprint != wanted.fingerprint:
            queue.cards_policy_fingerprint = wanted.fingerprint
            draw_open_again(session, now, queue.id)
            newest = select(func.max(DriftAlarm.id)).where(DriftAlarm.queue_id == queue.id)
            _draw_again(session, Card.DRIFT, newest, now)


def _draw_again(session: Session, card: Card, subjects: Select[Any], now: datetime) -> int:
    done = session.execute(
        update(Posting)
        .where(
            Posting.card == card,
            Posting.subject_id.in_(subjects),
            Posting.requested_version <= Posting.delivered_version,
        )
        .values(requested_version=Posting.requested_version + 1, requested_at=now)
        .returning(Posting.id)
    )
    return len(done.all())


def dead_jobs(session: Session) -> list[DeadJob]:
    """Jobs that failed permanently, oldest first, without those after which a job of the same kind succeeded."""
    later = aliased(Job)
    kind = func.coalesce(Job.mutex, Job.name)
    mended = select(later.id).where(
        later.id > Job.id, later.state == "done", func.coalesce(later.mutex, later.name) == kind
    )
    rows = session.scalars(select(Job).where(Job.state == "dead", ~mended.exists()).order_by(Job.id).limit(50))
    return [DeadJob(job.name, job.key, job.failure_reason) for job in rows]


def oldest_ready_job(session: Session, now: datetime) -> datetime | None:
    """When the job that waits longest might have begun; None if none waits."""
    return session.scalar(select(func.min(Job.next_attempt_at)).where(Job.state == "ready", Job.next_attempt_at <= now))
