"""Notices: messages that are sent once, as rows (an answer to a reaction, a reminder, an incident). A notice stores the
values of its sentence at that time; unlike a posting it is never redrawn.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import literal_column, or_, select
from sqlalchemy.orm import Session

from core.delivery import incidents
from core.records.delivery import Notice
from core.storage import leases
from core.storage.announcing import announce
from core.storage.database import insert
from core.storage.ready import fetch
from core.vocabulary import NoticeKind

IS_WAITING = (
    select(Notice.id).where(Notice.delivered_at.is_(None), Notice.failure_reason == literal_column("''")).exists()
)
_IS_WAITING = select(IS_WAITING)  # built once: it is asked all day


@dataclass(frozen=True)
class DueNotice:
    """A leased notice: send it, then `mark_delivered`."""

    id: int
    kind: str  # a word of `NoticeKind`
    channel: str
    person: str | None
    values: dict[str, Any]
    maybe_said: bool  # an earlier attempt has an unknown outcome: look for it before sending it again
    since: datetime  # the time of the request
    attempts: int  # failed ones


def notify(
    session: Session,
    kind: NoticeKind,
    key: str,
    channel: str,
    person: str | None,
    values: Mapping[str, Any],
    now: datetime,
) -> None:
    """Request a notice. A second one with the same key is dropped. values: for the kind's sentence."""
    session.execute(
        insert(session, Notice)
        .values(
            key=key,
            kind=kind,
            channel=channel,
            person=person,
            values=dict(values),
            created_at=now,
            next_attempt_at=now,
            attempts=0,
            failure_reason="",
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )
    announce(session)


def was_noted(session: Session, key: str) -> bool:
    """Whether the notice with this key was requested, sent or not."""
    return session.scalar(select(Notice.id).where(Notice.key == key)) is not None


def is_waiting(session: Session) -> bool:
    """Whether a notice has to be sent, now or later."""
    return bool(fetch(session, _IS_WAITING, {})[0][0])


def claim_next(session: Session, process: str, now: datetime, full_channels: Collection[str]) -> DueNotice | None:
    """Take the notice that has been due longest. Two processes never get the same one.

    full_channels: channels that have had their post of this second; words to one person do not wait for them. What an
    incident holds up is left alone."""
    notice = session.scalar(
        select(Notice)
        .where(
            Notice.delivered_at.is_(None),
            Notice.failure_reason == "",
            leases.is_due(Notice, now),
            or_(Notice.person.is_not(None), Notice.channel.not_in(list(full_channels))),
            Notice.channel.not_in(incidents.held_channels(now, new=True)),
        )
        .order_by(Notice.next_attempt_at, Notice.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if notice is None:
        return None
    due = DueNotice(
        notice.id, notice.kind, notice.channel, notice.person, notice.values, bool(notice.unconfirmed),
        notice.created_at, notice.attempts,
    )  # fmt: skip
    leases.take(notice, process, now)
    notice.unconfirmed = True
    return due


def mark_delivered(session: Session, notice_id: int, now: datetime) -> None:
    notice = session.get_one(Notice, notice_id, with_for_update=True)
    leases.release(notice)
    notice.delivered_at = now


def give_up(session: Session, notice_id: int, now: datetime) -> None:
    """Drop a notice whose person has left. This opens no incident: there is nothing to resolve."""
    mark_delivered(session, notice_id, now)


def release(session: Session, notice_id: int, still_unsure: bool = False) -> None:
    """The notice was not sent, for a reason outside the notice, which stays due. still_unsure: whether an earlier
    attempt has sent it could not be found out."""
    notice = session.get_one(Notice, notice_id, with_for_update=True)
    leases.release(notice)
    notice.unconfirmed = still_unsure


def mark_failed(
    session: Session,
    notice_id: int,
    now: datetime,
    retry_after: float | None = None,
    permanent: str = "",
    outcome_unknown: bool = False,
) -> None:
    """The notice was not sent. Try again after `retry_after` seconds, or by default after a time that doubles with each
    failure; or never, for the reason `permanent`. outcome_unknown: Slack may have accepted the message."""
    notice = session.get_one(Notice, notice_id, with_for_update=True)
    leases.release_failed(notice, now, retry_after)
    notice.failure_reason, notice.unconfirmed = permanent, outcome_unknown
