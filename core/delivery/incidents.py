"""What somebody has to mend before Slack takes our messages: told once, and asked for again only now and then.

Two kinds. One holds a whole channel up (the bot is not in it, it is archived) or everything (the token is refused;
channel ""): its messages stay as they are and wait. The other stops single messages that Slack does not take; those are
given up one by one, and the channel's others go on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm import Session

from core.records.delivery import Incident, Notice, Posting
from core.storage.database import insert

EVERYWHERE = ""  # the channel of a trouble that holds everything up
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=5)
APART = timedelta(minutes=1)  # clocks of two machines

OPEN = Incident.mended_at.is_(None)
HOLDS = and_(OPEN, Incident.held_until.is_not(None))


def hold(session: Session, channel: str, reason: str, now: datetime, posts_only: bool) -> bool:
    """Slack refused a message for a reason that holds all of this channel up: nothing is said there for a while, which
    doubles with every refusal. posts_only: what is there already may still be redrawn. True if the trouble is new."""
    trouble = _opened(session, channel, reason, now)
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(trouble.tries, 10))
    is_new = trouble.tries == 0
    trouble.tries += 1
    trouble.held_until, trouble.posts_only = now + pause, trouble.posts_only and posts_only
    return is_new


def note(session: Session, channel: str, reason: str, now: datetime) -> None:
    """Slack does not take a single message of this channel, whatever we do. Repeating it changes nothing."""
    _opened(session, channel, reason, now)


def mend(session: Session, channel: str, now: datetime, by_post: bool) -> None:
    """Something was said in this channel. by_post: it was new, not the redrawing of what was there, which may go well
    where new messages are refused."""
    kind = HOLDS if by_post else and_(HOLDS, ~Incident.posts_only)
    session.execute(update(Incident).where(kind, Incident.channel.in_((channel, EVERYWHERE))).values(mended_at=now))


def try_now(session: Session, now: datetime, channel: str | None = None) -> None:
    """Somebody may have mended it: do not wait for the pause to end. channel: None means all of them."""
    where = HOLDS if channel is None else and_(HOLDS, Incident.channel == channel)
    session.execute(update(Incident).where(where, Incident.held_until > now).values(held_until=now))


def held(now: datetime, *, new: bool) -> Select[str]:
    """The channels in which nothing is to be said now. new: a new message; else the redrawing of an old one. No pause
    is so long as one that a clock has noted which was put back since."""
    longest = now + LONGEST_PAUSE + APART
    found = select(Incident.channel).where(HOLDS, Incident.held_until > now, Incident.held_until <= longest)
    return found if new else found.where(~Incident.posts_only)


def known(session: Session, since: datetime) -> Sequence[Incident]:
    """All that are open, and those mended since then, oldest first."""
    return session.scalars(select(Incident).where(or_(OPEN, Incident.mended_at > since)).order_by(Incident.id)).all()


def waits_for(trouble: Incident, record: type[Posting] | type[Notice]) -> ColumnElement[bool]:
    """The condition on postings, or notices, that they are among those which this trouble holds up or has stopped."""
    if trouble.held_until is None:
        return and_(record.channel == trouble.channel, record.broken == trouble.reason)
    due = and_(Posting.wanted > Posting.shown, Posting.broken == "")
    if record is Notice:
        due = and_(Notice.delivered_at.is_(None), Notice.broken == "")
    elif trouble.posts_only:
        due = and_(due, Posting.ts.is_(None))
    return due if trouble.channel == EVERYWHERE else and_(due, record.channel == trouble.channel)


def close_what_is_over(session: Session, now: datetime) -> None:
    """A trouble ends when no message waits for it any more, say because a queue was taken out of the policy. Nobody can
    say that such a channel is well again, so it leaves no time until which it was held."""
    paused = and_(Incident.held_until.is_not(None), Incident.held_until > now)
    for trouble in session.scalars(select(Incident).where(OPEN, ~paused)):
        left = [session.scalar(select(record.id).where(waits_for(trouble, record)).limit(1)) for record in RECORDS]
        if not any(left):
            trouble.mended_at, trouble.held_until = now, None


RECORDS: tuple[type[Posting], type[Notice]] = (Posting, Notice)


def _opened(session: Session, channel: str, reason: str, now: datetime) -> Incident:
    """The open trouble of this channel and reason, locked; made if there is none."""
    new = insert(session, Incident).values(channel=channel, reason=reason, since=now, tries=0, posts_only=True)
    session.execute(new.on_conflict_do_nothing(index_elements=["channel", "reason"], index_where=OPEN))
    found = select(Incident).where(OPEN, Incident.channel == channel, Incident.reason == reason)
    return session.scalars(found.with_for_update()).one()
