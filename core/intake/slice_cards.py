"""Weak slices as leads see them, as plain data: the numbers, what is asked about them, and the answers that show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.delivery.outbox import Place, places
from core.intake.weak_slices import asked_slices, look_of, slice_meant
from core.people.members import queues_of
from core.people.permissions import require
from core.policy import Policy, QueuePolicy
from core.quality.slices import KnownRow, WeakSlice, is_inside
from core.queues import queue_ids
from core.records.slices import FoundSlice, SliceRequest
from core.review.known_rows import known_rows, present_version
from core.review.my_work import excerpt
from core.vocabulary import Card, Role, shown_answer

MOST_SLICES = 5  # slices shown per queue
MOST_EXAMPLES = 12
SEES = "see where the model is weak"  # completes "Only leads can ___"


@dataclass(frozen=True)
class Asking:
    """A lead's request about a slice that is not over. opened: items so far, of at most `items`; until: when the
    request lapses."""

    person: str
    opened: int
    items: int
    until: datetime


@dataclass(frozen=True)
class SliceCard:
    """A weak slice. weak: the numbers of the newest look that found it. asking: None: people are not asked about it."""

    subject: CardRef
    queue: str
    queue_title: str
    weak: WeakSlice
    asking: Asking | None


@dataclass(frozen=True)
class Example:
    """A wrong answer. place: of the item's card; None: it is not posted. said: the model's label; settled: the label
    that people settled."""

    item_id: int
    place: Place | None
    text: str
    said: str
    settled: str
    why: str | None


def slice_cards(session: Session, queue_id: int, policy: QueuePolicy, now: datetime) -> list[SliceCard]:
    """The slices of the present model: those that the newest look found, the most certain first, and those about which
    people are still asked."""
    asked = {one.request_id for one in asked_slices(session, queue_id, policy, now)}
    requests = session.scalars(select(SliceRequest).where(SliceRequest.id.in_(asked))).all() if asked else []
    of_slice = {request.slice_id: _asking(request, policy) for request in requests}
    found = select(FoundSlice).where(
        FoundSlice.queue_id == queue_id,
        FoundSlice.model_version == present_version(session, queue_id),
        or_(FoundSlice.is_weak, FoundSlice.id.in_(of_slice)),
    )
    order = (FoundSlice.p_value, FoundSlice.rows.desc(), FoundSlice.id)
    return [_card(one, of_slice.get(one.id), policy) for one in session.scalars(found.order_by(*order))]


def led_slices(session: Session, person: str, policy: Policy, now: datetime) -> list[SliceCard]:
    """The weak slices of all queues that the person leads, at most `MOST_SLICES` each."""
    led = set(queues_of(session, person)[Role.LEAD])
    queues = sorted((queue for queue in policy.queues if queue.name in led), key=lambda queue: queue.name)
    ids = queue_ids(session, [queue.name for queue in queues])
    found = zip(ids, queues, strict=True)
    return [card for queue_id, queue in found for card in slice_cards(session, queue_id, queue, now)[:MOST_SLICES]]


def slice_examples(
    session: Session, subject: CardRef, person: str, now: datetime, policy: Policy
) -> tuple[SliceCard, list[Example]]:
    """The newest wrong answers in a slice, for a lead. Raises NotFound and NotAllowed."""
    found = slice_meant(session, subject)
    queue = policy.queue(found.queue.name)
    require(session, found.queue, Role.LEAD, person, SEES, queue)
    look, familiar = look_of(found), frozenset(found.familiar)
    rows = [row for row in known_rows(session, found.queue_id) if row.wrong and is_inside(look, row, familiar)]
    card = next((one for one in slice_cards(session, found.queue_id, queue, now) if one.subject.id == found.id), None)
    return card or _card(found, None, queue), examples_of(session, rows[:MOST_EXAMPLES], queue)


def examples_of(session: Session, rows: Sequence[KnownRow], policy: QueuePolicy) -> list[Example]:
    standing = places(session, Card.REVIEW_ITEM, [row.item_id for row in rows])
    return [
        Example(
            item_id=row.item_id,
            place=standing.get(row.item_id),
            text=excerpt(policy.privacy.shown(row.text), 200),
            said=row.label,
            settled=shown_answer(row.settled),
            why=row.why,
        )
        for row in rows
    ]


def _card(found: FoundSlice, asking: Asking | None, policy: QueuePolicy) -> SliceCard:
    weak = WeakSlice(
        look_of(found), found.rows, found.wrong, found.others, found.p_value, whys=found.whys, missed=found.missed
    )
    return SliceCard(CardRef.of(found.id, found.found_at), policy.name, policy.shown_title, weak, asking)


def _asking(request: SliceRequest, policy: QueuePolicy) -> Asking:
    until = request.asked_at + timedelta(days=policy.slices.days)
    return Asking(request.asked_by, request.opened, policy.slices.items, until)
