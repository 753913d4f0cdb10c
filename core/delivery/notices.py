"""Notices: messages that are sent once, as rows (an answer to a reaction, a reminder, an incident). A notice holds the
values of its sentence as they were then; unlike a posting it is never drawn anew.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.delivery import incidents
from core.delivery.claims import CLAIM, pause_after
from core.records.delivery import Notice
from core.storage.database import insert
from core.vocabulary import NoticeKind


@dataclass(frozen=True)
class DueNotice:
    """A claimed notice: say it, then `mark_said`."""

    id: int
    kind: str  # of `NoticeKind`
    channel: str
    person: str | None
    values: dict[str, Any]
    maybe_said: bool  # an earlier attempt has an unknown outcome: look for it before saying it again
    since: datetime  # it was not said before


def notify(
    session: Session,
    kind: NoticeKind,
    key: str,
    channel: str,
    person: str | None,
    values: Mapping[str, Any],
    now: datetime,
) -> None:
    """Say something once. A second notice with the same key is dropped. values: of the kind's sentence."""
    session.execute(
        insert(session, Notice)
        .values(
            key=key,
            kind=kind,
            channel=channel,
            person=person,
            values=dict(values),
            created_at=now,
            next_try_at=now,
            attempts=0,
            broken="",
        )
        .on_conflict_do_nothing(index_elements=["key"])
    )


def was_noted(session: Session, key: str) -> bool:
    """Whether somebody has asked for the notice with this key, said or not."""
    return session.scalar(select(Notice.id).where(Notice.key == key)) is not None


def claim_next(session: Session, claimed_by: str, now: datetime, full_channels: Collection[str]) -> DueNotice | None:
    """Take the notice that has been due longest. Two deliverers never get the same one.

    full_channels: channels that have had their post of this second; words to one person do not wait for them. What a
    trouble holds up is left alone.
    """
    notice = session.scalar(
        select(Notice)
        .where(
            Notice.delivered_at.is_(None),
            Notice.broken == "",
            Notice.next_try_at <= now,
            or_(Notice.claimed_until.is_(None), Notice.claimed_until < now),
            or_(Notice.person.is_not(None), Notice.channel.not_in(list(full_channels))),
            Notice.channel.not_in(incidents.held(now, new=True)),
        )
        .order_by(Notice.next_try_at, Notice.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if notice is None:
        return None
    due = DueNotice(
        notice.id, notice.kind, notice.channel, notice.person, notice.values, bool(notice.unconfirmed),
        notice.created_at,
    )  # fmt: skip
    notice.claimed_by, notice.claimed_until = claimed_by, now + CLAIM
    notice.unconfirmed = True
    return due


def mark_said(session: Session, notice_id: int, now: datetime) -> None:
    notice = session.get_one(Notice, notice_id, with_for_update=True)
    notice.delivered_at, notice.claimed_until = now, None


def put_back(session: Session, notice_id: int, still_unsure: bool = False) -> None:
    """It was not said, for a reason that is none of its own; it is due as before. still_unsure: whether an earlier
    attempt has said it could not be found out."""
    notice = session.get_one(Notice, notice_id, with_for_update=True)
    notice.claimed_until, notice.unconfirmed = None, still_unsure


def mark_failed(
    session: Session,
    notice_id: int,
    now: datetime,
    retry_after: float | None = None,
    permanent: str = "",
    outcome_unknown: bool = False,
) -> None:
    """It was not said. Try again later (after `retry_after` seconds, else doubling), or never (`permanent` says why).
    outcome_unknown: Slack may have taken it."""
    notice = session.get_one(Notice, notice_id, with_for_update=True)
    notice.claimed_until, notice.broken, notice.unconfirmed = None, permanent, outcome_unknown
    notice.attempts += 1
    notice.next_try_at = now + pause_after(notice.attempts, retry_after)
