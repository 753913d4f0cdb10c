"""The outbox: messages that must be brought up to date, as rows. A posting does not contain the message, only the row
that it is about. The row is drawn when the message is delivered, so order does not matter and a hundred changes are one
update.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, case, literal_column, or_, select, update
from sqlalchemy.orm import Session

from core.delivery import incidents
from core.delivery.pausing import waits_for_resume
from core.delivery.recipients import Recipient
from core.errors import DatabaseUnavailable
from core.records.delivery import Posting
from core.records.queues import QueueRow
from core.storage import leases
from core.storage.announcing import announce
from core.storage.bulk import Bulk, Changes, insert_all, update_all
from core.storage.database import insert_for, kind_of, run
from core.storage.lists import among, as_list
from core.storage.ready import Found, Question, ask, fetch
from core.vocabulary import Card, RecipientKind

IS_WAITING = (
    select(Posting.id)
    .where(Posting.requested_version > Posting.delivered_version, Posting.failure_reason == literal_column("''"))
    .exists()
)
_IS_WAITING = select(IS_WAITING)  # built once: it is asked all day


@dataclass(frozen=True)
class Place:
    """The coordinates of a message in Slack."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Due:
    """A leased posting: draw the row, deliver it, then `mark_delivered` with this version."""

    id: int
    card: Card
    subject_id: int
    recipient: Recipient
    channel: str
    ts: str | None
    version: int
    delivered_version: int
    maybe_posted: bool  # an earlier first post has an unknown outcome: look for it before posting again
    since: datetime  # the time of the oldest change that was not delivered yet
    attempts: int  # failed ones since the last delivery


@dataclass(frozen=True)
class Redraw:
    """A change of a row, which its messages have to show. urgent: they are drawn before those that are not."""

    subject_id: int
    requested_at: datetime
    urgent: bool = False


def show(
    session: Session, card: Card, subject_id: int, recipient: Recipient, queue: QueueRow, now: datetime,
    urgent: bool = False,
) -> None:  # fmt: skip
    """Request that this recipient is shown the row in its present state. Repeating it only adds a version."""
    row = _requested(card, recipient, queue, now, urgent) | {"subject_id": subject_id}
    run(session, _showing(kind_of(session)), row)
    announce(session)


def show_all(
    session: Session, card: Card, subject_ids: Sequence[int], recipient: Recipient, queue: QueueRow, now: datetime
) -> None:
    """The same as `show` for many rows at once."""
    rows = [{"subject_id": subject_id} for subject_id in subject_ids]
    insert_all(session, _POSTINGS, _requested(card, recipient, queue, now), rows)
    announce(session)


def redraw(session: Session, card: Card, subject_id: int, now: datetime, urgent: bool = False) -> None:
    """Request an update of every message that shows this row. A message stays in its channel, even if the policy has
    named another one since."""
    redraw_all(session, card, [Redraw(subject_id, now, urgent)])


def redraw_all(session: Session, card: Card, redraws: Sequence[Redraw]) -> None:
    """The same as `redraw` for many changes, in this order. A row may have several."""
    rounds: list[dict[int, Redraw]] = []
    for one in redraws:
        free = next((each for each in rounds if one.subject_id not in each), None)
        if free is None:
            rounds.append(free := {})
        free[one.subject_id] = one
    for each in rounds:
        update_all(session, _REDRAWN, [{"card": card, **vars(one)} for one in each.values()])
    announce(session)


def subject_at(session: Session, channel: str, ts: str, card: Card) -> int | None:
    """The row that the message at these coordinates shows; None if it is no card of this kind. Raises
    DatabaseUnavailable if that is not known yet: such a card was sent to this channel, and its coordinates are not
    stored yet."""
    there = and_(Posting.channel == channel, Posting.card == card)
    found = session.scalar(select(Posting.subject_id).where(there, Posting.ts == ts))
    unsure = and_(Posting.ts.is_(None), Posting.unconfirmed, Posting.failure_reason == "")
    if found is None and session.scalar(select(Posting.id).where(there, unsure)):
        raise DatabaseUnavailable("This message has just been posted. Please try again in a moment.")
    return found


def coordinates(session: Session, card: Card, subject_id: int, recipient: Recipient) -> tuple[str, str] | None:
    """Channel and ts of the message that shows the recipient this row; None while it has not been posted."""
    posting = session.scalar(
        select(Posting).where(Posting.card == card, Posting.subject_id == subject_id, Posting.recipient == recipient.id)
    )
    return (posting.channel, posting.ts) if posting and posting.ts else None


def places(session: Session, card: Card, subject_ids: Collection[int]) -> dict[int, Place]:
    """The coordinates of the messages about these rows, by row. Rows without a posted message are left out."""
    return ask(session, places_of(kind_of(session), card, subject_ids)) if subject_ids else {}


def places_of(kind: str, card: Card, subject_ids: Collection[int]) -> Question[dict[int, Place]]:
    """The same as `places`, as a question about at least one row. kind: of database."""
    return Question(_posted(kind), {"card": card, "ids": as_list(kind, subject_ids)}, _places_by)


def is_waiting(session: Session) -> bool:
    """Whether a posting has to be brought up to date, now or later."""
    return bool(fetch(session, _IS_WAITING, {})[0][0])


def claim_next(
    session: Session,
    process: str,
    now: datetime,
    *,
    may_update: bool,
    may_update_open: bool,
    full_channels: Collection[str],
) -> Due | None:
    """Take the most urgent posting that is due and that Slack's rates allow now: settled before open, then oldest.

    may_update: an update of any message is allowed; may_update_open: also of one that is not urgent;
    full_channels: channels that have had their post of this second. What an incident or a paused queue holds up is left
    alone. Two processes never get the same posting.
    """
    posting = session.scalar(
        select(Posting)
        .where(_is_due(now), _may_be_sent(now, may_update, may_update_open, full_channels))
        .order_by(Posting.urgent.desc(), Posting.next_attempt_at, Posting.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if posting is None:
        return None
    due = _due(posting)
    leases.take(posting, process, now)
    posting.unconfirmed = posting.ts is None
    return due


def mark_delivered(session: Session, posting_id: int, version: int, ts: str | None, now: datetime) -> None:
    """The message shows the row as of `version`. A newer version that was requested meanwhile stays requested."""
    posting = _locked(session, posting_id)
    leases.release(posting)
    posting.delivered_version = max(posting.delivered_version, version)
    posting.ts = ts or posting.ts
    posting.unconfirmed, posting.attempts, posting.next_attempt_at = False, 0, now


def mark_failed(
    session: Session,
    posting_id: int,
    now: datetime,
    *,
    outcome_unknown: bool = False,
    forget_ts: bool = False,
    retry_after: float | None = None,
    permanent: str = "",
) -> None:
    """The message was not delivered. Try again after `retry_after` seconds, or by default after a time that doubles
    with each failure; or never, for the reason `permanent`. forget_ts: the message is gone from Slack, so post a new
    one. outcome_unknown: Slack may have accepted the message."""
    posting = _locked(session, posting_id)
    leases.release_failed(posting, now, retry_after)
    posting.unconfirmed = posting.ts is None and outcome_unknown
    posting.failure_reason = permanent
    if forget_ts:
        posting.ts = None


def release(session: Session, posting_id: int, still_unsure: bool = False) -> None:
    """The message was not delivered, for a reason outside the posting, which stays due. still_unsure: whether an
    earlier attempt has posted it could not be found out."""
    posting = _locked(session, posting_id)
    leases.release(posting)
    posting.unconfirmed = posting.ts is None and still_unsure


def revive(session: Session, channel: str, reasons: Collection[str], now: datetime) -> int:
    """Deliver to a channel that can be written to again: retry its waiting messages, and those that were given up one
    by one for one of these reasons. Returns how many had been given up."""
    incidents.retry_now(session, now, channel)
    given_up = session.scalars(
        update(Posting)
        .where(Posting.channel == channel, Posting.failure_reason != "", Posting.failure_reason.in_(list(reasons)))
        .values(failure_reason="", attempts=0, next_attempt_at=now)
        .returning(Posting.id)
    ).all()
    return len(given_up)


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Whether something is still to be delivered and no worker holds it. A posting that was not tried yet is due
    whatever its time says, which may be that of a machine whose clock is ahead. Cards and recipients that only a newer
    release knows are left to its workers."""
    return and_(
        Posting.requested_version > Posting.delivered_version,
        Posting.failure_reason == "",
        Posting.card.in_(list(Card)),
        Posting.recipient_kind.in_(list(RecipientKind)),
        or_(Posting.attempts == 0, Posting.next_attempt_at <= now),
        leases.is_free(Posting, now),
    )


def _may_be_sent(
    now: datetime, may_update: bool, may_update_open: bool, full_channels: Collection[str]
) -> ColumnElement[bool]:
    """Whether Slack's rates allow it, and no incident and no paused queue holds it up. A message that was not posted
    yet needs room in its channel; an update needs room in the workspace."""
    full, held = list(full_channels), incidents.held_channels(now, new=True)
    new = and_(Posting.ts.is_(None), Posting.channel.not_in(full), Posting.channel.not_in(held), ~waits_for_resume())
    if not may_update:
        return new
    posted = and_(Posting.ts.is_not(None), Posting.channel.not_in(incidents.held_channels(now, new=False)))
    return or_(new, posted if may_update_open else and_(posted, Posting.urgent))


def _due(posting: Posting) -> Due:
    return Due(
        id=posting.id, card=Card(posting.card), subject_id=posting.subject_id,
        recipient=Recipient(RecipientKind(posting.recipient_kind), posting.recipient),
        channel=posting.channel, ts=posting.ts,
        version=posting.requested_version, delivered_version=posting.delivered_version,
        maybe_posted=posting.unconfirmed, since=posting.requested_at or posting.next_attempt_at,
        attempts=posting.attempts,
    )  # fmt: skip


def _places_by(rows: Found) -> dict[int, Place]:
    return {subject_id: Place(channel, ts) for subject_id, channel, ts in rows if ts}


@cache
def _posted(kind: str) -> Select[int, str, str | None]:
    posted = (Posting.recipient_kind == RecipientKind.CHANNEL, Posting.ts.is_not(None))
    wanted = (Posting.card == bindparam("card"), among(Posting.subject_id, kind, "ids"))
    return select(Posting.subject_id, Posting.channel, Posting.ts).where(*wanted, *posted)


def _requested(
    card: Card, recipient: Recipient, queue: QueueRow, now: datetime, urgent: bool = False
) -> dict[str, Any]:
    return {
        "queue_id": queue.id, "card": card, "recipient_kind": recipient.kind, "recipient": recipient.id,
        "channel": recipient.id,
        "requested_version": 1, "delivered_version": 0, "requested_at": now, "urgent": urgent,
        "unconfirmed": False, "attempts": 0, "failure_reason": "", "next_attempt_at": now,
    }  # fmt: skip


def _redrawn(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of a redraw. `requested_at` stays where an earlier request is still waiting."""
    is_waiting = Posting.requested_version > Posting.delivered_version
    return {
        "requested_version": Posting.requested_version + literal_column("1"),
        "requested_at": case((is_waiting, Posting.requested_at), else_=given["requested_at"]),
        "urgent": given["urgent"],
    }


_REDRAWN = Changes(
    cast(Table, Posting.__table__), key=("card", "subject_id"), each=("requested_at", "urgent"), values=_redrawn
)


@cache
def _showing(kind: str) -> Any:
    return _once_more(insert_for(kind, Posting.__table__))


def _once_more(new: Any) -> Any:
    """Requests a newer version if the message is known already."""
    since = case(
        (Posting.requested_version > Posting.delivered_version, Posting.requested_at), else_=new.excluded.requested_at
    )
    return new.on_conflict_do_update(
        index_elements=["card", "subject_id", "recipient"],
        set_={
            "requested_version": Posting.requested_version + literal_column("1"),
            "requested_at": since,
            "urgent": new.excluded.urgent,
        },
    )


_POSTINGS = Bulk(
    cast(Table, Posting.__table__),
    same=(
        "queue_id", "card", "recipient_kind", "recipient", "channel", "requested_version", "delivered_version",
        "requested_at", "urgent", "unconfirmed", "attempts", "failure_reason", "next_attempt_at",
    ),
    each=("subject_id",),
    again=_once_more,
)  # fmt: skip


def _locked(session: Session, posting_id: int) -> Posting:
    return session.get_one(Posting, posting_id, with_for_update=True)
