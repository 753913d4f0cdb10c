"""What waits to be said or done, and what was given up: for those who look after Goldloop, never for a decision."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from core.records.delivery import Notice, Posting
from core.records.jobs import Job
from core.records.reviews import ReviewItem
from core.vocabulary import Card, ItemState


@dataclass(frozen=True)
class Waiting:
    """since: when the oldest was asked for; None if nothing waits."""

    count: int
    since: datetime | None


@dataclass(frozen=True)
class GivenUp:
    """Messages to one channel that Slack refused for good, with its word for why."""

    channel: str
    reason: str
    count: int


@dataclass(frozen=True)
class DeadJob:
    name: str
    key: str
    error: str


def waiting(session: Session) -> Waiting:
    """Messages that are to be posted or redrawn, those between two tries included; what was given up is not."""
    due = (Posting.wanted > Posting.shown, Posting.broken == "")
    since = func.min(func.coalesce(Posting.wanted_at, Posting.next_try_at))
    cards, oldest_card = session.execute(select(func.count(), since).where(*due)).one()
    due_notice = (Notice.delivered_at.is_(None), Notice.broken == "")
    notices, oldest_notice = session.execute(select(func.count(), func.min(Notice.created_at)).where(*due_notice)).one()
    oldest = [at for at in (oldest_card, oldest_notice) if at is not None]
    return Waiting(cards + notices, min(oldest, default=None))


def given_up(session: Session) -> list[GivenUp]:
    found = []
    for record in (Posting, Notice):
        grouped = select(record.channel, record.broken, func.count()).where(record.broken != "")
        rows = session.execute(grouped.group_by(record.channel, record.broken).order_by(record.channel, record.broken))
        found += [GivenUp(channel, reason, count) for channel, reason, count in rows]
    return found


def try_again(session: Session, now: datetime) -> int:
    """Let what was given up be said after all; returns how many. Repeating it changes nothing."""
    count = 0
    for record in (Posting, Notice):
        done = session.execute(
            update(record)
            .where(record.broken != "")
            .values(broken="", attempts=0, next_try_at=now, claimed_until=None)
            .returning(record.id)
        )
        count += len(done.all())
    return count


def draw_open_again(session: Session, now: datetime) -> int:
    """Let the card of every item that is not settled be drawn anew, as after a restored back-up; returns how many."""
    unsettled = select(ReviewItem.id).where(ReviewItem.state.in_((ItemState.OPEN, ItemState.DISPUTED)))
    done = session.execute(
        update(Posting)
        .where(Posting.card == Card.REVIEW_ITEM, Posting.subject_id.in_(unsettled), Posting.wanted <= Posting.shown)
        .values(wanted=Posting.wanted + 1, wanted_at=now)
        .returning(Posting.id)
    )
    return len(done.all())


def dead_jobs(session: Session) -> list[DeadJob]:
    """Jobs that failed for good, oldest first; not those after which one of the same kind has gone well."""
    later = aliased(Job)
    kind = func.coalesce(Job.mutex, Job.name)
    mended = select(later.id).where(
        later.id > Job.id, later.state == "done", func.coalesce(later.mutex, later.name) == kind
    )
    rows = session.scalars(select(Job).where(Job.state == "dead", ~mended.exists()).order_by(Job.id).limit(50))
    return [DeadJob(job.name, job.key, job.last_error) for job in rows]


def oldest_ready_job(session: Session, now: datetime) -> datetime | None:
    """When the job that waits longest might have begun; None if none waits."""
    return session.scalar(select(func.min(Job.run_at)).where(Job.state == "ready", Job.run_at <= now))
