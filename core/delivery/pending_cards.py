"""Pending cards: cards on which people still have to decide, so they must exist in Slack."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.records.delivery import Posting
from core.records.learning import ModelVersion
from core.records.reviews import ReviewItem
from core.records.rollout import Canary
from core.vocabulary import CanaryState, Card, ItemState, ModelState


@dataclass(frozen=True)
class Shown:
    posting_id: int
    ts: str


def shown_in(session: Session, channel: str) -> list[Shown]:
    """The posted cards of this channel that wait for a vote or a decision, oldest message first."""
    items = select(ReviewItem.id).where(ReviewItem.state.in_((ItemState.OPEN, ItemState.DISPUTED)))
    proposed = select(Canary.model_id).where(Canary.state == CanaryState.PROPOSED)
    models = select(ModelVersion.id).where(
        or_(ModelVersion.state == ModelState.CANDIDATE, ModelVersion.id.in_(proposed))
    )
    waits = or_(
        and_(Posting.card == Card.REVIEW_ITEM, Posting.subject_id.in_(items)),
        and_(Posting.card == Card.CANDIDATE, Posting.subject_id.in_(models)),
    )
    rows = session.execute(select(Posting.id, Posting.ts).where(Posting.channel == channel, waits))
    return sorted((Shown(posting, ts) for posting, ts in rows if ts), key=lambda shown: float(shown.ts))


def post_again(session: Session, gone: Collection[Shown], now: datetime) -> None:
    """Post these messages anew, because they are gone from Slack. A message that is being redrawn at this moment is
    left to that redraw."""
    missed = {card.posting_id: card.ts for card in gone}
    found = select(Posting).where(Posting.id.in_(missed), Posting.leased_until.is_(None))
    for posting in session.scalars(found.with_for_update()):
        if posting.ts != missed[posting.id]:
            continue  # it was posted again meanwhile
        if posting.requested_version <= posting.delivered_version:
            posting.requested_version, posting.requested_at = posting.requested_version + 1, now
        posting.ts, posting.next_attempt_at = None, now
