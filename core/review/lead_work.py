"""What waits for a lead's decision: disputed items and candidates, in all queues that the person leads."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.learning.lifecycle.cards import CandidateCard, candidate_card
from core.people.members import queues_of
from core.policy import Policy
from core.records.learning import ModelVersion
from core.records.reviews import ReviewItem
from core.review.cards import ItemCard, item_card
from core.vocabulary import ItemState, ModelState, Role

MOST_DISPUTES = 8  # shown at once; the others follow when these are decided
MOST_CANDIDATES = 5


@dataclass(frozen=True)
class LeadWork:
    """Oldest first. more_disputes, more_candidates: how many wait beside those that are listed."""

    disputes: tuple[ItemCard, ...]
    more_disputes: int
    candidates: tuple[CandidateCard, ...]
    more_candidates: int


def lead_work(session: Session, person: str, policy: Policy) -> LeadWork | None:
    """None: the person leads no queue of the policy."""
    names = {queue.name for queue in policy.queues}
    led = [queue.id for queue in queues_of(session, person, Role.LEAD) if queue.name in names]
    if not led:
        return None
    disputes, disputed = _disputed(session, led)
    candidates, pending = _pending(session, led)
    return LeadWork(
        disputes=tuple(item_card(session, item_id, policy) for item_id in disputes),
        more_disputes=disputed - len(disputes),
        candidates=tuple(candidate_card(session, model_id, policy) for model_id in candidates),
        more_candidates=pending - len(candidates),
    )


def _disputed(session: Session, queues: Sequence[int]) -> tuple[Sequence[int], int]:
    where = (ReviewItem.queue_id.in_(queues), ReviewItem.state == ItemState.DISPUTED)
    first = session.scalars(select(ReviewItem.id).where(*where).order_by(ReviewItem.id).limit(MOST_DISPUTES)).all()
    return first, session.scalar(select(func.count(ReviewItem.id)).where(*where)) or 0


def _pending(session: Session, queues: Sequence[int]) -> tuple[Sequence[int], int]:
    where = (ModelVersion.queue_id.in_(queues), ModelVersion.state == ModelState.CANDIDATE)
    first = session.scalars(select(ModelVersion.id).where(*where).order_by(ModelVersion.id).limit(MOST_CANDIDATES))
    return first.all(), session.scalar(select(func.count(ModelVersion.id)).where(*where)) or 0
