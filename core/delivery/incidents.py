"""Incidents: problems that people have to resolve before messages can be delivered. The leads are told once, and
delivery is retried only now and then.

Two kinds. One holds a whole channel up (the bot is not in it, it is archived) or everything (the token is refused;
channel ""): its messages wait. The other stops single messages that Slack refuses or that cannot be drawn; these are
given up one by one, and others in the channel are delivered.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm import Session

from core.records.delivery import Incident, Notice, Posting
from core.storage.database import insert
from core.storage.leases import CLOCKS_APART, LONGEST_PAUSE

EVERYWHERE = ""  # the channel of an incident that holds everything up
FIRST_PAUSE = timedelta(seconds=30)

OPEN = Incident.resolved_at.is_(None)
HOLDS = and_(OPEN, Incident.held_until.is_not(None))


def hold_channel(session: Session, channel: str, reason: str, now: datetime, posts_only: bool) -> bool:
    """Stop sending to a channel for a while, because Slack refused a message for a reason that concerns the whole
    channel. The pause doubles with every refusal. posts_only: existing messages may still be redrawn. Returns whether
    the incident is new."""
    incident = _opened(session, channel, reason, now)
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(incident.attempts, 10))
    is_new = incident.attempts == 0
    incident.attempts += 1
    incident.held_until, incident.posts_only = now + pause, incident.posts_only and posts_only
    return is_new


def open_incident(session: Session, channel: str, reason: str, now: datetime) -> None:
    """Open an incident, because a single message of this channel was given up. Repeating it changes nothing."""
    _opened(session, channel, reason, now)


def resolve(session: Session, channel: str, now: datetime, by_post: bool) -> None:
    """Resolve incidents of a channel, because a message was delivered to it. by_post: it was a new message; a redraw
    may succeed where new messages are refused."""
    kind = HOLDS if by_post else and_(HOLDS, ~Incident.posts_only)
    session.execute(update(Incident).where(kind, Incident.channel.in_((channel, EVERYWHERE))).values(resolved_at=now))


def retry_now(session: Session, now: datetime, channel: str | None = None) -> None:
    """Deliver without waiting for the pause to end, because the incident may be resolved. channel: None for all
    channels."""
    where = HOLDS if channel is None else and_(HOLDS, Incident.channel == channel)
    session.execute(update(Incident).where(where, Incident.held_until > now).values(held_until=now))


def held_channels(now: datetime, *, new: bool) -> Select[str]:
    """The channels to which nothing is to be delivered now. new: a new message; else the redrawing of an old one. A
    pause that is longer than possible was stored while the clock was ahead; it holds nothing up."""
    longest = now + LONGEST_PAUSE + CLOCKS_APART
    found = select(Incident.channel).where(HOLDS, Incident.held_until > now, Incident.held_until <= longest)
    return found if new else found.where(~Incident.posts_only)


def recent(session: Session, since: datetime) -> Sequence[Incident]:
    """All open incidents, and those resolved since then, oldest first."""
    return session.scalars(select(Incident).where(or_(OPEN, Incident.resolved_at > since)).order_by(Incident.id)).all()


def waits_for(incident: Incident, record: type[Posting] | type[Notice]) -> ColumnElement[bool]:
    """The condition that selects the postings, or notices, which this incident holds up or has stopped."""
    if incident.held_until is None:
        return and_(record.channel == incident.channel, record.failure_reason == incident.reason)
    due = and_(Posting.requested_version > Posting.delivered_version, Posting.failure_reason == "")
    if record is Notice:
        due = and_(Notice.delivered_at.is_(None), Notice.failure_reason == "")
    elif incident.posts_only:
        due = and_(due, Posting.ts.is_(None))
    return due if incident.channel == EVERYWHERE else and_(due, record.channel == incident.channel)


def resolve_stale(session: Session, now: datetime) -> None:
    """An incident ends when no message waits for it any more, say because a queue was taken out of the policy. Nothing
    says that such a channel is well again, so it leaves no time until which it was held."""
    paused = and_(Incident.held_until.is_not(None), Incident.held_until > now)
    for incident in session.scalars(select(Incident).where(OPEN, ~paused)):
        left = [session.scalar(select(record.id).where(waits_for(incident, record)).limit(1)) for record in RECORDS]
        if not any(left):
            incident.resolved_at, incident.held_until = now, None


RECORDS: tuple[type[Posting], type[Notice]] = (Posting, Notice)


def _opened(session: Session, channel: str, reason: str, now: datetime) -> Incident:
    """The open incident of this channel and reason, locked; created if there is none."""
    new = insert(session, Incident).values(channel=channel, reason=reason, since=now, attempts=0, posts_only=True)
    session.execute(new.on_conflict_do_nothing(index_elements=["channel", "reason"], index_where=OPEN))
    found = select(Incident).where(OPEN, Incident.channel == channel, Incident.reason == reason)
    return session.scalars(found.with_for_update()).one()
