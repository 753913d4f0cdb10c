"""The work that waits for a lead's decision: disputed items and candidates, in all queues that the person leads."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, case, func, select
from sqlalchemy.orm import Session

from core.delivery.card_refs import CardRef
from core.learning.lifecycle.cards import PendingCandidate, pending_candidate
from core.people.members import queues_of
from core.policy import Policy, QueuePolicy
from core.queues import queue_ids
from core.records.learning import ModelVersion
from core.records.predictions import Prediction
from core.records.reviews import ReviewItem, Suggestion
from core.records.synthetic import SyntheticBatch, SyntheticText
from core.review.cards import labels_in_order
from core.review.content import shown_text
from core.review.questions import ABOUT_PREDICTION, ERASED_AT, TEXT, with_content
from core.storage.database import kind_of
from core.storage.lists import among, as_list, form_of
from core.storage.ready import Found, Question, ask_all, fetch
from core.vocabulary import Coded, ItemState, ModelState, Role

MOST_DISPUTES = 8  # shown at once; the others follow when these are decided
MOST_CANDIDATES = 5


@dataclass(frozen=True)
class Dispute:
    """An item that a lead decides. labels: in the order in which they are offered."""

    subject: CardRef
    queue_title: str
    why: Coded
    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class LeadWork:
    """The decisions that wait, oldest first. more_disputes, more_candidates: how many wait beside those that are
    listed."""

    disputes: tuple[Dispute, ...]
    more_disputes: int
    candidates: tuple[PendingCandidate, ...]
    more_candidates: int


def lead_work(session: Session, person: str, policy: Policy) -> LeadWork | None:
    """The work that waits for this person. None: they lead no queue of the policy."""
    known = {queue.name for queue in policy.queues}
    names = [name for name in queues_of(session, person)[Role.LEAD] if name in known]
    if not names:
        return None
    led = {queue_id: policy.queue(name) for queue_id, name in zip(queue_ids(session, names), names, strict=True)}
    (disputes, disputed), (candidates, pending) = ask_all(session, _first_ones(kind_of(session), led))
    return LeadWork(
        disputes=_disputes(session, disputes, led),
        more_disputes=disputed - len(disputes),
        candidates=tuple(pending_candidate(session, model_id, policy) for model_id in candidates),
        more_candidates=pending - len(candidates),
    )


def _first_ones(kind: str, queues: Collection[int]) -> list[Question[tuple[list[int], int]]]:
    """The ids of the first disputed items and of the first candidates, and how many there are of each."""
    form = form_of(kind, queues)
    asked = {"queues": as_list(form, queues)}
    return [
        Question(_disputed(form), {**asked, "most": MOST_DISPUTES}, _ids_and_number),
        Question(_pending(form), {**asked, "most": MOST_CANDIDATES}, _ids_and_number),
    ]


def _ids_and_number(rows: Found) -> tuple[list[int], int]:
    return [row_id for row_id, _number in rows], rows[0][1] if rows else 0


@cache
def _disputed(form: str) -> Select[int, int]:
    wanted = (among(ReviewItem.queue_id, form, "queues"), ReviewItem.state == ItemState.DISPUTED)
    return select(ReviewItem.id, func.count().over()).where(*wanted).order_by(ReviewItem.id).limit(_most())


@cache
def _pending(form: str) -> Select[int, int]:
    wanted = (among(ModelVersion.queue_id, form, "queues"), ModelVersion.state == ModelState.CANDIDATE)
    return select(ModelVersion.id, func.count().over()).where(*wanted).order_by(ModelVersion.id).limit(_most())


def _most() -> ColumnElement[int]:
    return bindparam("most", type_=Integer)


def _disputes(session: Session, ids: Sequence[int], led: Mapping[int, QueuePolicy]) -> tuple[Dispute, ...]:
    if not ids:
        return ()
    kind = kind_of(session)
    rows = fetch(session, _decided(kind), {"ids": as_list(kind, ids)})
    return tuple(_dispute(row, led[queue_id]) for queue_id, *row in rows)


def _dispute(row: Sequence[Any], queue: QueuePolicy) -> Dispute:
    item_id, opened_at, because, values, blind, text, erased_at, predicted, probabilities, written_for = row
    return Dispute(
        subject=CardRef.of(item_id, opened_at),
        queue_title=queue.shown_title,
        why=Coded(because, values),
        text=shown_text(text, erased_at, queue),
        labels=labels_in_order(queue, None if blind else predicted, probabilities or {}, written_for),
    )


@cache
def _decided(kind: str) -> Select[*tuple[Any, ...]]:
    """Columns in the order of `_dispute`. The answer of a model that went live since the prediction counts before the
    prediction, as on the item's card."""
    since = Suggestion.label.is_not(None)
    written_for = select(SyntheticBatch.label).where(SyntheticBatch.id == SyntheticText.batch_id).scalar_subquery()
    items = select(
        ReviewItem.queue_id,
        ReviewItem.id,
        ReviewItem.opened_at,
        ReviewItem.disputed_because,
        ReviewItem.disputed_values,
        ReviewItem.blind,
        TEXT,
        ERASED_AT,
        case((since, Suggestion.label), (ABOUT_PREDICTION, Prediction.label)),
        case((since, Suggestion.probabilities), else_=Prediction.probabilities),
        written_for,
    )
    found = with_content(items).outerjoin(Suggestion, Suggestion.item_id == ReviewItem.id)
    return found.where(among(ReviewItem.id, kind, "ids")).order_by(ReviewItem.id)
