"""The settling of an item: its correction, and whether that trains or becomes golden."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never, cast

from sqlalchemy import Table, bindparam
from sqlalchemy.orm import Session

from core.delivery.webhooks import publish
from core.errors import Refusal
from core.learning.data.golden import Chosen, destination, protect, revise
from core.learning.data.graduation import has_graduated
from core.learning.lifecycle.runs import request_run_if_due
from core.policy import QueuePolicy
from core.records.reviews import Correction, ReviewItem
from core.review.answers import CurrentAnswer, current_answers, votes_among
from core.review.consensus import tally
from core.review.flaggers import tell_settled
from core.review.items import LockedItem
from core.review.presenting import item_changed
from core.storage.database import run
from core.vocabulary import AnswerKind, Destination, ErrorReason, EventKind, ItemState, QuestionAbout, Settler

# Built once, and run past the ORM: a person waits for it.
_NEW = cast(Table, Correction.__table__).insert().returning(Correction.id)
_SETTLED = (
    cast(Table, ReviewItem.__table__)
    .update()
    .where(ReviewItem.id == bindparam("of"))
    .values(state=ItemState.SETTLED, settled_at=bindparam("settled_at"), disputed_because="", disputed_values={})
)


@dataclass(frozen=True)
class Outcome:
    """What an item is settled as, and by whom. tally: answer as shown -> votes."""

    label: str | None
    reason: ErrorReason | None
    note: str
    tally: dict[str, int]
    settled_by: Settler
    guideline_version: int
    lead: str | None = None


def settle_item(
    session: Session,
    item: LockedItem,
    label: str | None,
    answers: Sequence[CurrentAnswer],
    now: datetime,
    queue: QueuePolicy,
) -> None:
    """The reviewers' verdict, which follows from these current answers. The caller holds the item's lock; the current
    correction is unique per item."""
    winning = [answer for answer in answers if answer.kind.is_vote and answer.label == label]
    reasons = Counter(vote.reason for vote in winning if vote.reason)
    outcome = Outcome(
        label=label,
        reason=reasons.most_common(1)[0][0] if reasons else None,
        note=next((vote.note for vote in winning if vote.note), ""),
        tally=tally(votes_among(answers)),
        settled_by=Settler.CONSENSUS,
        guideline_version=max(vote.guideline_version for vote in winning),
    )
    _settle(session, item, outcome, {vote.person for vote in winning}, now, queue)


def adjudicate_item(
    session: Session,
    item: LockedItem,
    lead: str,
    kind: AnswerKind,
    label: str | None,
    reason: ErrorReason | None,
    note: str,
    now: datetime,
    queue: QueuePolicy,
) -> None:
    """A lead settles a disputed item. The caller holds the item's lock and has checked that this is a lead."""
    if not kind.is_vote:
        raise Refusal(f"Item {item.id} needs your decision. Choose a label or “None of these”.")
    votes = votes_among(current_answers(session, item.id))
    version = item.queue.guideline_version
    outcome = Outcome(label, reason, note, tally(votes), Settler.LEAD, version, lead=lead)
    _settle(session, item, outcome, {lead}, now, queue)


def _settle(
    session: Session, item: LockedItem, outcome: Outcome, deciders: Collection[str], now: datetime, queue: QueuePolicy
) -> None:
    """deciders: whose answers settle it."""
    right = _model_was_right(item, outcome.label)
    chosen = _chosen(item, outcome.label, bool(right), queue)
    if chosen.stratum is not None and has_graduated(session, item.queue.id, item.content_hash):
        chosen = Chosen(Destination.HELD_OUT if item.audited else Destination.TRAINING)
    about = {"queue_id": item.queue.id, "item_id": item.id, "model_was_right": right, "destination": chosen.destination}
    stamped = {"policy_fingerprint": queue.fingerprint, "settled_at": now, "is_current": True}
    correction_id: int = run(session, _NEW, vars(outcome) | about | stamped).scalar_one()
    run(session, _SETTLED, {"of": item.id, "settled_at": now})
    _keep(session, item, correction_id, outcome.label, chosen, now)
    request_run_if_due(session, item.queue, now, queue)
    item_changed(session, item.id, now, urgent=True)
    if item.about is QuestionAbout.PREDICTION:
        told = _told(item, correction_id, outcome, bool(right), now)
        publish(session, EventKind.ITEM_SETTLED, correction_id, item.queue.id, told, now)
        tell_settled(session, item.id, item.flagged_by, deciders, _told_flagger(item, outcome), now)


def _model_was_right(item: LockedItem, label: str | None) -> bool | None:
    """None: the item is not about what a model said."""
    if item.about is not QuestionAbout.PREDICTION:
        return None
    return label is not None and label == item.predicted_label


def _chosen(item: LockedItem, label: str | None, right: bool, queue: QueuePolicy) -> Chosen:
    """Where the correction goes. A stored label that was asked about again stays on its side of the firewall."""
    match item.about:
        case QuestionAbout.PREDICTION:
            return destination(
                blind=item.blind,
                model_was_right=right,
                label=label,
                content_hash=item.content_hash,
                audited=item.audited,
                lot=item.lot_probability,
                policy=queue,
            )
        case QuestionAbout.GOLDEN:
            return Chosen(Destination.GOLDEN if label is not None else Destination.NOWHERE)
        case QuestionAbout.TRAINING_ROW:
            return Chosen(Destination.TRAINING if label is not None else Destination.NOWHERE)
        case _:
            assert_never(item.about)


def _keep(
    session: Session, item: LockedItem, correction_id: int, label: str | None, chosen: Chosen, now: datetime
) -> None:
    """What the golden set takes from the correction. Training takes it with the next snapshot, which reads it."""
    match item.about:
        case QuestionAbout.PREDICTION:
            if label is not None:
                protect(session, correction_id, item.source_id, label, chosen, now)
        case QuestionAbout.GOLDEN:
            revise(session, item.source_id, correction_id, label, now)
        case QuestionAbout.TRAINING_ROW:
            pass
        case _:
            assert_never(item.about)


def _told(item: LockedItem, correction_id: int, outcome: Outcome, right: bool, now: datetime) -> dict[str, Any]:
    """What other systems hear of it."""
    return {
        "queue": item.queue.name,
        "item_id": item.id,
        "correction_id": correction_id,
        "external_id": item.external_id,
        "model_version": item.model_version,
        "model_label": item.predicted_label,
        "label": outcome.label,
        "model_was_right": right,
        "reason": outcome.reason,
        "settled_by": outcome.settled_by,
        "settled_at": now.isoformat(),
    }


def _told_flagger(item: LockedItem, outcome: Outcome) -> dict[str, Any]:
    """What the person hears who flagged it."""
    return {
        "external_id": item.external_id,
        "label": outcome.label,
        "model_label": item.predicted_label,
        "by_lead": outcome.settled_by is Settler.LEAD,
    }
